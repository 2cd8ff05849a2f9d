"""Words that instruct an assistant: to drop its rules, show its prompt, be another, use a tool, shape its answer.

Owns the patterns, in English and Spanish with the commonest of German, French and Portuguese, over flat text
(unveil.py). `order` families are attempts; `shape` families are instructions planted in a mail or document, which a
customer may also mean honestly. Not here: what follows from a find (injection.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

from guardrails._shared.unveil import clean, unveiled

_RULES = r"(?:instructions?|rules?|prompts?|orders|guidelines?|guardrails|polic(?:y|ies)|programming|directives?|constraints|restrictions|training)"
_REGLAS = r"(?:instrucciones|reglas|ordenes|indicaciones|directrices|normas|restricciones)"
_FREE = (
    r"(?:dan|unrestricted|unfiltered|uncensored|without (?:any )?(?:rules|restrictions|filters?|limits|polic\w+)|no (?:rules|restrictions|filters?|policy|limits)"
    r"|jailbr\w+|root|hacker|administrator|developer mode|sin (?:reglas|restricciones|filtros|limites))"
)
_BOT = (
    r"(?:ai|chat ?bots?|bots?|assistants?|(?:large )?language models?|llms?|gpts?|ia|asistentes?)"
)
ORDERS: tuple[tuple[str, str], ...] = (
    ("override", rf"\b(?:ignore|disregard|forget|override|bypass|overlook|discard|drop|neglect)\b.{{0,30}}\b(?:previous|prior|above|preceding|earlier|your|all|any|these|those|other|system)\b.{{0,20}}\b{_RULES}\b"),
    ("override", rf"\b(?:do not|don't|stop|no longer) (?:follow(?:ing)?|obey(?:ing)?|comply(?:ing)? with|adher\w+ to)\b.{{0,20}}\b(?:your|the|any|previous|prior|those|these)\b.{{0,20}}\b{_RULES}\b"),
    ("override", rf"\b(?:ignora|ignore|olvida|olvide|desobedece|omite|descarta|salta)\b.{{0,20}}\b(?:todas? )?(?:tus|las|sus|estas)\b.{{0,20}}\b{_REGLAS}\b"),
    ("override", r"\b(?:ignorier\w*|vergiss)\b.{0,25}\b(?:vorherigen|bisherigen|obigen|deine|alle)\b.{0,20}\b(?:anweisungen|regeln|vorgaben)\b"),
    ("override", r"\b(?:ignore[zs]?|oublie[zs]?)\b.{0,25}\b(?:instructions|consignes|regles)\b.{0,20}\b(?:precedentes|ci-dessus)?|\b(?:ignore|esqueca)\b.{0,25}\b(?:instrucoes|regras)\b"),
    ("override", rf"\b(?:new|updated|actual|real|nuevas?) (?:system )?(?:instructions?|{_REGLAS}|rules|prompt)\s?:|\byour (?:new|real|actual) (?:task|goal|purpose|job|instructions?) (?:is|are)\b"),
    ("prompt", r"\b(?:reveal|print|repeat|show|output|translate|leak|display|write|tell|give|dump|disclose|what (?:is|are|was|were)|share|summari[sz]e)\b.{0,25}\b(?:your|the) (?:\w+ )?(?:system|hidden|initial|secret|original|developer|base|full) (?:prompt|instructions?|message|rules)\b|\bsystem prompt\b"),
    ("prompt", r"\b(?:reveal|print|repeat|show|output|translate|leak|disclose|dump)\b.{0,25}\byour (?:\w+ )?(?:instructions|prompt|rules|configuration|secrets?|guidelines)\b"),
    ("prompt", r"\b(?:repeat|print|output|show)\b.{0,15}\b(?:everything|all|the (?:text|words))\b.{0,15}\babove\b|\bprompt (?:de|del) sistema\b|\b(?:revela|muestra|repite|imprime|dime)\b.{0,20}\btus (?:instrucciones|reglas|indicaciones)\b"),
    ("role", rf"\b(?:you are (?:now|no longer)|from now on,? you(?:'re| are| will| must)?|pretend (?:to be|you are|you're|that you)|act as(?: if)?|role ?play as|behave as|simulate|imagine you are|eres ahora|ahora eres|a partir de ahora eres|actua como|finge (?:ser|que eres))\b.{{0,60}}\b{_FREE}\b"),
    ("role", r"\b(?:you are now|from now on,? you are|you're now|ahora eres|a partir de ahora eres)\b.{0,30}\b(?:an?|un|una|the|el|la) \w+"),
    ("role", r"\b(?:developer|dan|god|jailbreak|debug|sudo|admin|maintenance|unrestricted) mode\b.{0,30}\b(?:on|enabled?|activated?|engaged)\b|\b(?:enter|enable|activate|switch (?:in)?to|go into)\b.{0,12}\b(?:dan|god|jailbreak|developer|debug|sudo|unrestricted) mode\b|\bdo anything now\b"),
    ("address", rf"(?:^|[.!?:*#>(\[-] ?)(?:note|notice|attention|important|instructions?|message|nota|aviso|atencion|instrucciones|mensaje)\s?(?:to|for|para)\s(?:the |any |all |el |los |la |las )?(?:\w+ )?{_BOT}\b"),
    ("address", rf"\b(?:if you are|as|si eres)\s(?:an? |una? )?(?:\w+ )?{_BOT}\b.{{0,60}}\b(?:you must|you should|you will|always|never|do not|don't|debes|siempre|nunca|no digas)\b"),
    ("address", r"(?:^|[.!?:>\]] ?)(?:hey |dear |hola |querido )?(?:assistant|ai|chatbot|bot|asistente)\s?[,:]\s?(?:you must|always|never|reveal|do not|forward|approve|ignore|grant|debes|responde|di|envia|pide|nunca|siempre)\b"),
    ("tag", r"<\|(?:im_start|im_end|system|assistant|user|endoftext)\|>|\[/?inst\]|<</?sys>>|</?(?:system|assistant)>|(?:^|[.!?\]] ?|# ?)#{0,6} ?[\[<{(]?\s?(?:system|assistant|im_start|inst|sistema)\s?[\]>})]?\s?:\s?(?:\w+ ){0,3}(?:new|override|you|the customer|grant|ignore|must|now|always|approve|refund|disable|el cliente|ignora|debes)\b|[\[<{](?:system|admin|root|override)[\]>}]"),
    ("tool", r"\b(?:call|invoke|execute|run|trigger|use)\b.{0,20}\b(?:refund|coupon|admin|payment|delete|discount|booking|email|transfer)\w*[ _](?:tool|function|command|api|action|endpoint)\b|\b(?:tool|function)[ _]?call\b.{0,20}[({]"),
    ("tool", r"\b(?:api[ _]?keys?|passwords?|credentials|secret keys?|conversation history|customer (?:data|list|records)|chat history)\b.{0,40}\b(?:send|post|forward|upload|email|exfiltrate|append|leak)\b.{0,20}\bto\b|\b(?:send|post|forward|upload|exfiltrate|leak)\b.{0,40}\b(?:api[ _]?keys?|passwords?|credentials|secret keys?|conversation history|customer (?:data|list|records)|chat history)\b.{0,30}\bto\b.{0,10}(?:https?:|www|\S+@)"),
    ("tool", r"\b(?:show|give|list|tell|send|muestra\w*|dame|envia\w*)\b.{0,15}\b(?:other|another|all|otros|todos los) (?:customers?|clientes|users?|accounts?)'?s?'? (?:data|records|emails|bookings|conversations|details|datos|correos|messages)\b"),
    ("grant", r"\b(?:grant|give|apply|issue|approve|authori[sz]e)\b.{0,25}\b(?:the|this|me|my|him|her) (?:customer |user |account )?(?:a |an )?(?:100 ?%|full|free|unlimited|admin|maximum)\b.{0,20}\b(?:discount|refund|access|credit|rights|privileges|upgrade|coupon)\b"),
    ("grant", r"\b(?:without|no need for|skip|bypass|disable) (?:any |all |the |further )?(?:verification|approval|authentication|checks?|guardrails?|safety|moderation|filters?)\b.{0,40}\b(?:refund|discount|grant|book|cancel|send|execute|respond|reply|answer|proceed)\b"),
    ("image", r"!\[[^\]]{0,80}\]\(\s?https?://[^)\s]{1,300}(?:\{|<|\[|=)[^)]{0,40}(?:history|conversation|secret|password|data|token|key|prompt)"),
)  # fmt: skip

_REPLY = r"(?:repl(?:y|ies)|responses?|answers?|output|respuestas?|contestacion|summary)"
_VERBS = (
    r"(?:add|append|attach|augment|include|insert|integrate|incorporate|embed|put|place|mention|use|write|provide|render|convert|replace|remove|delete|scramble|misspell|group"
    r"|combine|translate|encode|encrypt|reverse|rearrange|substitute|modify|enhance|enrich|introduce|jumble|anagram|end|start|begin|finish|conclude|sign|format|alter|change|swap|shuffle|capitali[sz]e"
    r"|repeat|flip|mix|weave|sprinkle|spell|present|compose|deliver|craft|make|turn|transform|tease|suggest|promote|recommend|advertise|redirect|invite|encourage|state|claim|say|tell|express|refer"
    r"|anade|agrega|incluye|inserta|integra|usa|escribe|sustituye|reemplaza|elimina|traduce|codifica|termina|empieza|modifica)"
)
# Where a sentence may begin: after a mark, or with a capital where the mark was lost.
_BEGIN = r"(?:^|[.!?:;)\]\"'>|-]\s?|(?<=\s)(?-i:(?=[A-Z]))|\b(?:please|then|and|por favor|y)\s)(?:(?:always|also|simply|just|then|please)\s)?"
# Within a sentence, the dots of addresses and the marks inside quotes included.
_ON = r"(?:[^.!?\n]|[.!?](?=[\w\"'/]))"
_CHANGES = r"(?:modify|enhance|augment|enrich|rearrange|alter|scramble|jumble|shuffle|reverse|encode|encrypt|transform|modifica|altera)"
# What begins a sentence about an answer that a customer waits for or got, and no order to shape one.
_NO_ORDER = (
    r"(?!(?:i|i'm|i've|we|we're|you|he|she|it|they|my|our|the|this|that|these|thanks?|thank you|awaiting|waiting|looking|hoping|hope|appreciate|according|as|per|after|before|since|with|without|from|for|about"
    r"|regarding|re|sorry|got|received|read|saw|is|was|are|were|does|did|do you|can|could|would|will|what|when|where|why|who|how|which|if|but|and|so|because|while|in|on|at|to|no|yes|not|hi|hello|dear|still|only|any|some|there|here"
    r"|please (?:send|let|give|provide|share|reply|confirm)|send|gracias|espero|quedo|agradezco|su|tu|la|el|lo|en|con|por|para|si|no|que|cuando|como)\b)"
)
SHAPES: tuple[tuple[str, str], ...] = (
    # any order with "your answer" in it, and what the answer must be
    ("reply", rf"(?:^|[.!?|>\]]\s?|(?<=\s)(?-i:(?=[A-Z])))(?:please )?{_NO_ORDER}[a-z]{{2,}}\b(?<!ing)(?<!ed)[^.!?\n]{{0,60}}\b(?:in|of|into|with|from|by|to|after|at the (?:end|start|beginning) of|that)? ?(?:your|tu) (?:\w+ )?(?:reply|response|answer|output|respuesta)(?:\s(?:in|with|as|on|by using|using|has|should|must|have|con|en)\b|[.!,:]?\s*(?:$|(?-i:(?=[A-Z]))|that\b|que\b|how\b))"),
    ("reply", r"\b(?:your|tu) (?:\w+ )?(?:reply|response|answer|output|respuesta) (?:must|should(?! have)|shall|has to|needs to|will|is to|can only|may only|debe|tiene que|ha de)\b"),
    ("reply", r"\b(?:tell|inform|warn|remind|invite|ask|let|urge|persuade|convince|point|direct|encourage) (?:the )?(?:user|reader|customer|recipient|usuario|client)s?\b[^.!?\n]{0,60}\b(?:your|tu) (?:reply|response|answer|output|respuesta)\b"),
    ("reply", rf"{_BEGIN}(?:return|give|present|produce|keep|write|render) the (?:whole |entire |final )?(?:reply|response|answer|output) (?:in|as|with|using)\b"),
    ("reply", rf"{_BEGIN}(?:speak|talk|write|respond|answer|reply) like an? \w+|{_BEGIN}responde (?:solo |siempre )?en (?:codigo|verso|rima|clave|mayusculas)\b"),
    ("reply", rf"{_BEGIN}{_CHANGES}\b{_ON}{{0,60}}\b(?:your|the|tu|su|la) (?:\w+ )?{_REPLY}\b"),
    # "Add … to your reply", "In your response, suggest …"
    ("reply", rf"{_BEGIN}{_VERBS}\b{_ON}{{0,160}}\b(?:your|the|tu|su|la) (?:\w+ )?{_REPLY}(?:'s)?\b(?! (?:to|from|about|within|by|soon|asap|before|on|fields?|box|form|button|address|times?|templates?|rate|thread)\b)"),
    ("reply", rf"\b(?:in|at|into|within|to|en|a) (?:the (?:end|beginning|start|top) of )?(?:your|tu|su) (?:\w+ )?{_REPLY},? (?:please )?{_VERBS}\b"),
    ("reply", rf"(?:^|[.!?>|]\s?|(?<=\s)(?-i:(?=[A-Z])))(?:in|en) (?:your|tu|su) (?:\w+ )?{_REPLY}, (?!(?:i|you|we|it|the|there|that|they|he|she|please let|please find|dices|yo)\b)\w+"),
    ("reply", rf"{_BEGIN}(?:{_VERBS}|render|jumble)\b{_ON}{{0,60}}\b(?:words?|letters?|vowels?|sentences?) (?:in|of|from) (?:your|tu|su) (?:message|text|mensaje)\b|{_BEGIN}render your (?:message|text)\b"),
    ("reply", rf"{_BEGIN}(?:reply|respond|answer|responde|contesta) (?:only |always |solely |exclusively )?(?:in|with|using|as|by|en|con|usando) (?:\w+ ){{0,3}}(?:base ?64|base ?32|hex\w*|binary|morse|rot ?13|caesar|cipher|leet\w*|pig latin|reverse\w*|backwards|emojis?|rhym\w+|haiku|verse|poe\w+|code|alphanumeric|anagrams?|symbols?|uppercase|all caps|pirate\w*|shakespear\w+|codigo|mayusculas)\b"),
    ("cipher", rf"{_BEGIN}{_VERBS}\b[^.!?]{{0,40}}\b(?:every|each|all|the|random|cada|todas?)? ?(?:\w+ )?(?:vowels?|consonants?|letters?|characters|words|spaces|vocales|letras)\b[^.!?]{{0,60}}\b(?:with|by|into|to|for|of|in|con|por|using)\b[^.!?]{{0,60}}\b(?:numbers?|symbols?|positions?|emojis?|digits|shift\w*|order|ascii|unicode|base ?64|morse|binary|reverse\w*|equivalents?|sets?|numeros|simbolos)\b"),
    ("cipher", rf"{_BEGIN}(?:write|encode|encrypt|express|convert|render|send|put) [^.!?]{{0,40}}(?:in|into|to|as|using) (?:base ?64|base ?32|hex(?:adecimal)?|binary|morse(?: code)?|rot ?13|caesar|a? ?(?:substitution |caesar )?cipher|leet ?speak|pig latin|reversed? (?:text|order)|backwards|homophon\w+|anagrams?)\b"),
)  # fmt: skip
_ORDERS = tuple((name, re.compile(pattern, re.DOTALL)) for name, pattern in ORDERS)
_SHAPES = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in SHAPES)
# What people say about their own words and work, or ask about safety, not to the machine.
_HARMLESS = re.compile(
    r"\b(?:ignore|disregard|forget|ignora|olvida)\b.{0,12}\b(?:my|mi|the last|our) (?:last |previous |prior |earlier |ultimo )?(?:message|mail|email|question|note|request|order"
    r"|mensaje|correo|pregunta|pedido)\b|\b(?:a|the|this|that|any) system message\b"
)


def orders_in(text: str) -> tuple[str, ...]:
    """Return the names of the families of orders in a text, "override" or "encoded_override"."""
    found: dict[str, None] = {}
    for how, words in unveiled(text):
        words = _HARMLESS.sub(" ", words)
        for name, pattern in _ORDERS:
            if pattern.search(words):
                found[f"{how}_{name}" if how else name] = None
    return tuple(found)


def shapes_in(text: str) -> tuple[str, ...]:
    """Return the names of the families of instructions about the answer itself."""
    words = clean(text)
    return tuple(dict.fromkeys(name for name, pattern in _SHAPES if pattern.search(words)))
