"""What a motion should be, in words: a bag of tags that the network was trained on, read from free text.

Every tag has its own input channel (`reference.given`), so a text is the set of the tags that its words stand for, in
any order. A word that stands for none is said to be unknown (`unknown`); small words that carry nothing are passed
over. The tags are those of the recordings' descriptions and of the composed pairs; `docs/words.md` lists them.
"""

import re

import numpy as np

# Tag -> further words that mean it. The order is that of the network's channels: a change of it is a change of layout.
TAGS = {
    # going somewhere
    "walk": "walks walking walked stroll strolls strolling navigate go goes going",
    "run": "runs running sprint sprints sprinting",
    "jog": "jogs jogging trot",
    "sneak": "sneaks sneaking stealthily stealthy stealth creep creeps creeping",
    "turn": "turns turning degree 90 corner",
    "veer": "veers veering curve curves curving",
    "circle": "circles circling round around",
    "start": "starts starting begin begins",
    "stop": "stops stopping halt halts",
    "slow": "slowly calm calmly",
    "fast": "quick quickly brisk briskly sudden suddenly fancy",
    "exaggerated": "exaggerate big wide",
    "neutral": "normal normally",
    "forward": "forwards ahead front",
    "backward": "backwards back",
    "sideways": "side sidestep lateral",
    "left": "",
    "right": "",
    "step": "steps stepping stride strides transitions",
    # off the ground and down to it
    "jump": "jumps jumping leap leaps leaping",
    "hop": "hops hopping",
    "duck": "ducks ducking under underneath",
    "over": "",
    "climb": "climbs climbing",
    "hang": "hangs hanging dangle dangles",
    "swing": "swings swinging rock",
    "drop": "drops descend lower lowered lowering",
    "roll": "rolls rolling dive dives",
    "cartwheel": "cartwheels acrobatics acrobatic flip flips",
    "lie": "lies lying",
    "sit": "sits sitting stool stepstool chair",
    "stand": "stands standing idle still rise rises wait waits waiting",
    "squat": "squats squatting crouch crouches crouching",
    "balance": "balances balancing tiptoe",
    # hands and everyday
    "bend": "bends bending bent fold folding folded",
    "lean": "leans leaning arching",
    "reach": "reaches reaching lift lifts lifting",
    "grab": "grabs grabbing take takes taking catch",
    "put": "puts putting place",
    "scoop": "scoops pick picks",
    "throw": "throws throwing",
    "drink": "drinks drinking soda bottle bottlecap screw unscrew",
    "wash": "washes washing window windows clean cleans",
    "mop": "mops mopping floor sweep",
    "push": "pushes pushing pull pulls pulling",
    "everyday": "",
    "arm": "arms shoulder shoulders",
    "hand": "hands",
    "leg": "legs",
    "foot": "feet ankle",
    "knee": "knees",
    "elbow": "elbows",
    "head": "chin ear",
    "both": "",
    "high": "raised air up",
    "low": "ground down",
    # gestures and acting
    "gesture": "gestures gesturing signal signals traffic direct",
    "wave": "waves waving",
    "point": "points pointing",
    "laugh": "laughs laughing",
    "act": "acting acts rhyme nursery teapot play plays playing vacation",
    "animal": "animals bear chicken dinosaur dog elephant fish monkey mouse prairie snake whale",
    "playground": "ladder ropes",
    # exercise and sport
    "exercise": "exercises motion range sports",
    "stretch": "stretches stretching stretched outstretched",
    "twist": "twists twisting",
    "jack": "jacks",
    "basketball": "ball",
    "dribble": "dribbles dribbling crossover",
    "shoot": "shoots shooting",
    "soccer": "football",
    "kick": "kicks kicking mawashigeri yokogeri",
    "punch": "punches punching strike strikes hit hits oiduki",
    "box": "boxes boxing boxer",
    "martial": "karate bassai empi fight fights fighting spar sparring gedanbarai syutouuke defend defends",
    "sword": "swordplay swords fencing",
    # dance
    "dance": "dances dancing dancer",
    "ballet": "arabesque attitude jete jetes tourant dessous coupe retire glissade pointe tendue terre pied cou quasi "
    "derriere devant rond jambe grand expressive",
    "spin": "spins spinning pirouette pirouettes twirl twirls twirling rotation",
    "indian": "",
    "salsa": "",
    "breakdance": "breaksequencewithflips fancyfootwork longsequencegood uprightsequence breakdancing",
    "leader": "lead leads leading",
    "follower": "",
    # with somebody else
    "together": "beside pair couple partner",
    "follow": "follows following behind",
    "meet": "meets meeting greet greets greeting shake",
    "pass": "passes passing",
    "mirror": "mirrors mirroring copy copies",
    "talk": "talks talking conversation chat chats",
    "apart": "ignore ignores ignoring alone",
}
FILLERS = (
    "a an the and or of on in into to at by for from with without is are be it its his her their he she they i m me my "
    "you we one two three once twice first then while as like this that person people man woman somebody someone "
    "character human subject other each self something very little small another free style through off against"
)
MEANING = {word: i for i, (tag, more) in enumerate(TAGS.items()) for word in (tag, *more.split())}
NAMES = tuple(TAGS)
COUNT = len(TAGS)


def words_of(text):
    """The words of a text, in lower case."""
    return re.findall(r"[^\W_]+", text.lower())


def tags_of(text):
    """The tags that a text's words stand for, a set."""
    return {NAMES[MEANING[word]] for word in words_of(text) if word in MEANING}


def encode(text):
    """Channels `[COUNT]` float32 of a text: its tags share a vector of length 1; all 0 for a text without a tag."""
    known = sorted({MEANING[word] for word in words_of(text) if word in MEANING})
    out = np.zeros(COUNT, np.float32)
    if known:
        out[known] = len(known) ** -0.5
    return out


def unknown(text, vocabulary=tuple(TAGS)):
    """The words of a text that stand for none of the tags in `vocabulary`, in order, each once; fillers apart."""
    known = {word for word, i in MEANING.items() if NAMES[i] in vocabulary} | set(FILLERS.split())
    return list(dict.fromkeys(w for w in words_of(text) if w not in known))
