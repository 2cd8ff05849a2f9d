"""Words too common to say what a text is about, per language. Data only."""

from collections.abc import Mapping

_EN = """
a about after again all also am an and any are as at be because been before being between both but
by can could did do does doing don't down during each few for from further get got had has have
having he hello her here hers hi him his how i i'd i'll i'm i've if in into is isn't it it's its
just let like me might more most my no nor not of off on once only or other our ours out over own
please s same shall she should so some such t than thank thanks that that's the their theirs them
then there these they they're this those through to too under until up us very want was we we're
were what what's when where which while who whom why will with would yes you you're your yours
u r ur n pls plz thx ok okay hey ya im ive ill dont doesnt didnt isnt arent wont cant id hello
"""

_ES = """
a al algo alguna algunas alguno algunos ante antes aquel aquella aquí así aun aunque cada como con
contra cual cuales cualquier cuando cuál cuáles cuándo cómo de del desde donde dos dónde e el ella
ellas ellos en entre era eres es esa esas ese eso esos esta estaba estas este esto estos está están
estoy fue fueron gracias ha había hace hacer hacia hago han hasta hay he hola la las le les lo los
me mi mis mucho muy más mí nada ni no nos nosotros nuestra nuestro o os otra otro para pero poco por
porque puede pueden puedo pues que quien quiero quién qué se sea ser si sido sin sobre son soy su
sus sí también tan te tengo ti tiene tienen todo todos tu tus tú un una unas uno unos usted ustedes
y ya yo él q xq pq porfa favor
"""

STOPWORDS: Mapping[str, frozenset[str]] = {
    "en": frozenset(_EN.split()),
    "es": frozenset(_ES.split()),
}
