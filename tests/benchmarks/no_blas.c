/* Plain loops in place of the BLAS and LAPACK routines that NumPy calls, in the order of NumPy's own loops for builds
   without BLAS. Loaded before NumPy's libraries, they make any NumPy one that has none. 64-bit sizes ("ILP64") for
   names that end in 64_, as in NumPy's wheels, else 32-bit ones. `no_blas_calls` counts, so that a test can tell
   whether they were really used. Real numbers only: the core multiplies no complex matrices. */
#include <stdint.h>
#include <string.h>

long no_blas_calls = 0;
enum { ROWS = 101, TRANSPOSED = 112, UPPER = 121 };

#define AT(order, trans, i, j, ld) \
    (((order) == ROWS) == ((trans) < TRANSPOSED) ? (int64_t)(i) * (ld) + (j) : (int64_t)(j) * (ld) + (i))

#define BLAS(T, INT, GEMM, GEMV, SYRK, DOT, AXPY) \
void GEMM(int order, int ta, int tb, INT m, INT n, INT k, T alpha, const T *a, INT lda, const T *b, INT ldb, T beta, \
          T *c, INT ldc) { \
    no_blas_calls++; \
    for (INT i = 0; i < m; i++) \
        for (INT j = 0; j < n; j++) { \
            T sum = 0; \
            for (INT l = 0; l < k; l++) sum += a[AT(order, ta, i, l, lda)] * b[AT(order, tb, l, j, ldb)]; \
            T *out = c + AT(order, 111, i, j, ldc); \
            *out = alpha * sum + (beta ? beta * *out : 0); \
        } \
} \
void GEMV(int order, int ta, INT m, INT n, T alpha, const T *a, INT lda, const T *x, INT incx, T beta, T *y, INT incy) { \
    INT rows = ta < TRANSPOSED ? m : n, columns = ta < TRANSPOSED ? n : m; \
    no_blas_calls++; \
    for (INT i = 0; i < rows; i++) { \
        T sum = 0; \
        for (INT j = 0; j < columns; j++) sum += a[AT(order, ta, i, j, lda)] * x[j * incx]; \
        y[i * incy] = alpha * sum + (beta ? beta * y[i * incy] : 0); \
    } \
} \
void SYRK(int order, int half, int trans, INT n, INT k, T alpha, const T *a, INT lda, T beta, T *c, INT ldc) { \
    no_blas_calls++; \
    for (INT i = 0; i < n; i++) \
        for (INT j = half == UPPER ? i : 0; j < (half == UPPER ? n : i + 1); j++) { \
            T sum = 0; \
            for (INT l = 0; l < k; l++) sum += a[AT(order, trans, i, l, lda)] * a[AT(order, trans, j, l, lda)]; \
            T *out = c + AT(order, 111, i, j, ldc); \
            *out = alpha * sum + (beta ? beta * *out : 0); \
        } \
} \
T DOT(INT n, const T *x, INT incx, const T *y, INT incy) { \
    T sum = 0; \
    no_blas_calls++; \
    for (INT i = 0; i < n; i++) sum += x[i * incx] * y[i * incy]; \
    return sum; \
} \
void AXPY(INT n, T alpha, const T *x, INT incx, T *y, INT incy) { \
    no_blas_calls++; \
    for (INT i = 0; i < n; i++) y[i * incy] += alpha * x[i * incx]; \
}

BLAS(float, int64_t, cblas_sgemm64_, cblas_sgemv64_, cblas_ssyrk64_, cblas_sdot64_, cblas_saxpy64_)
BLAS(double, int64_t, cblas_dgemm64_, cblas_dgemv64_, cblas_dsyrk64_, cblas_ddot64_, cblas_daxpy64_)
BLAS(float, int64_t, scipy_cblas_sgemm64_, scipy_cblas_sgemv64_, scipy_cblas_ssyrk64_, scipy_cblas_sdot64_,
     scipy_cblas_saxpy64_)
BLAS(double, int64_t, scipy_cblas_dgemm64_, scipy_cblas_dgemv64_, scipy_cblas_dsyrk64_, scipy_cblas_ddot64_,
     scipy_cblas_daxpy64_)
BLAS(float, int32_t, cblas_sgemm, cblas_sgemv, cblas_ssyrk, cblas_sdot, cblas_saxpy)
BLAS(double, int32_t, cblas_dgemm, cblas_dgemv, cblas_dsyrk, cblas_ddot, cblas_daxpy)

/* Solves A X = B by elimination with row exchanges; column after column, as Fortran lays them out. */
#define SOLVE(T, INT, GESV) \
void GESV(const INT *size, const INT *sides, T *a, const INT *lda, INT *pivot, T *b, const INT *ldb, INT *info) { \
    INT n = *size; \
    no_blas_calls++; \
    *info = 0; \
    for (INT k = 0; k < n; k++) { \
        INT best = k; \
        for (INT i = k + 1; i < n; i++) { \
            T x = a[i + k * *lda], y = a[best + k * *lda]; \
            if ((x < 0 ? -x : x) > (y < 0 ? -y : y)) best = i; \
        } \
        pivot[k] = best + 1; \
        if (a[best + k * *lda] == 0) { *info = k + 1; return; } \
        for (INT j = 0; j < n; j++) { \
            T kept = a[k + j * *lda]; a[k + j * *lda] = a[best + j * *lda]; a[best + j * *lda] = kept; \
        } \
        for (INT j = 0; j < *sides; j++) { \
            T kept = b[k + j * *ldb]; b[k + j * *ldb] = b[best + j * *ldb]; b[best + j * *ldb] = kept; \
        } \
        for (INT i = k + 1; i < n; i++) a[i + k * *lda] /= a[k + k * *lda]; \
        for (INT j = k + 1; j < n; j++) \
            for (INT i = k + 1; i < n; i++) a[i + j * *lda] -= a[i + k * *lda] * a[k + j * *lda]; \
    } \
    for (INT j = 0; j < *sides; j++) { \
        T *x = b + j * *ldb; \
        for (INT k = 0; k < n; k++) for (INT i = k + 1; i < n; i++) x[i] -= a[i + k * *lda] * x[k]; \
        for (INT k = n - 1; k >= 0; k--) { \
            x[k] /= a[k + k * *lda]; \
            for (INT i = 0; i < k; i++) x[i] -= a[i + k * *lda] * x[k]; \
        } \
    } \
}

SOLVE(float, int64_t, sgesv_64_)
SOLVE(double, int64_t, dgesv_64_)
SOLVE(float, int64_t, scipy_sgesv_64_)
SOLVE(double, int64_t, scipy_dgesv_64_)
SOLVE(float, int32_t, sgesv_)
SOLVE(double, int32_t, dgesv_)
