"""How a sentence promises something or says that it was done, in English and Spanish, over flat text.

Owns the patterns. Not here: what entitles to say it (authority.py).
"""

# ruff: noqa: E501 - patterns are easier to check unbroken

import re

AMOUNT = re.compile(
    r"(?:[$€£]\s?(?P<a>\d[\d.,]{0,20}))|(?P<b>\d[\d.,]{0,20})\s?(?:€|(?:usd|eur|gbp|dollars?|euros?|pounds?)\b)"
    r"|(?P<c>\d[\d.,]{0,20})\s?%\s*(?:off|discount|de descuento|menos|cheaper|reduction|rebaja)"
    r"|(?:discount|descuento|coupon|cupon|rebate) (?:of|de) (?P<d>\d[\d.,]{0,20})\s?%?",
    re.IGNORECASE,
)
DENIED = re.compile(
    r"\b(?:not|never|no|nothing|nobody|haven't|hasn't|wasn't|isn't|aren't|can't|cannot|couldn't|won't|didn't|don't|unable|if|when|once|whether|until|before|after"
    r"|sin|nunca|nada|si|cuando|todavia)\b|n't\b",
    re.IGNORECASE,
)
_WE = r"(?:i|we|our (?:\w+ )?team|the team|support|someone|a (?:person|colleague|specialist|human)|they)"
_DONE = r"(?:i|we)(?:'ve| have)? (?:just |already |now |successfully )?"
_HECHO = r"(?:he|hemos|ya he|ya hemos|acabo de|acabamos de)"
_SOON = (
    r"(?:within|in|in less than|in under|dentro de|en menos de|en) (?:the next |about |las? proximas? )?(?:\d{1,4}|an?|one|two|three|few|a few|a couple of|una?s?|dos|pocas?|pocos?) ?(?:-? ?\d{1,3} )?(?:minutes?|hours?|(?:business |working )?days?|weeks?|minutos?|horas?|dias?(?: habiles| laborables)?|semanas?)"
    r"|by (?:tomorrow|tonight|monday|tuesday|wednesday|thursday|friday|saturday|sunday|noon|midnight|eod|(?:the )?end of (?:the )?(?:day|week|month))|(?:right away|immediately|today|tomorrow|shortly after)\b"
    r"|antes de (?:manana|que acabe)|hoy mismo|manana"
)
SOON = re.compile(_SOON)
PROMISES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("booked", rf"\b{_DONE}(?:booked|reserved|scheduled)\b|\b(?:session|booking|appointment|training|call|slot|meeting|demo) (?:is|has been) (?:now )?(?:booked|confirmed|reserved|scheduled)\b|^booked\b|\byou(?:'re| are) (?:all )?(?:booked|set for)\b"
                   rf"|\b{_HECHO} (?:reserv|agend|program)(?:ado|ar)\b|\b(?:sesion|reserva|cita|llamada) (?:esta|ha sido|queda) (?:confirmada|reservada|agendada)\b|^reservad[oa]\b"),
        ("moved", rf"\b{_DONE}(?:rescheduled|moved|postponed) (?:your|the|it)\b|\b(?:session|booking|appointment|meeting) (?:is|has been) (?:now )?(?:rescheduled|moved|postponed)\b|\b{_HECHO} (?:movid|cambiad|reprogramad)o (?:su|tu|la|el)\b"),
        ("cancelled", rf"\b{_DONE}cancell?ed\b|\b(?:session|booking|appointment|subscription|account|plan|order|trial|membership) (?:is|has been|was) (?:now )?cancell?ed\b"
                      rf"|\b{_HECHO} (?:cancelado|anulado|cancelar|anular)\b|\b(?:sesion|reserva|cita|suscripcion|cuenta|pedido) (?:esta|ha sido|queda) (?:cancelad[ao]|anulad[ao])\b"),
        ("refunded", rf"\b(?:i|we)(?:'ve| have| will|'ll| can)? (?:just |already )?(?:refund(?:ed)?|reimbursed?|credit(?:ed)?) (?:you|your|the|it)\b|\b(?:refund|credit|reimbursement) (?:has been|is being|is|was) (?:issued|processed|approved|on its way|initiated|sent)\b|\byou(?:'ll| will) (?:get|receive|be given) (?:a |your |the )?(?:full |partial )?(?:refund|money back|credit)\b"
                     rf"|\b{_HECHO} (?:reembolsado|devuelto|reembolsar|devolver)\b|\b(?:le|te|os|les) (?:reembolsaremos|devolveremos|devolvemos|reembolsamos)\b|\breembolso (?:ha sido|esta) (?:emitido|aprobado|procesado)\b"),
        ("offer", r"\b(?:i|we)(?:'ll| will| can|'d be happy to| would be happy to)? (?:gladly )?(?:offer|give|grant|extend|apply|add|arrange|issue|send)(?:ed)? (?:you|to you|your account)? ?(?:an?|the|some|another|one|\d+|two|three) ?(?:\w+ ){0,3}(?:discount|coupon|credits?|free (?:month|year|seat|upgrade|trial)|months? free|voucher|price cut|goodwill|compensation|rebate)\b|\b(?:le|te|os) (?:ofrezco|ofrecemos|damos|regalamos|aplicamos|aplicare) (?:\w+ ){0,3}(?:descuento|cupon|mes gratis|credito|vale|compensacion)\b"),
        ("upgraded", rf"\b{_DONE}(?:upgraded|downgraded|unlocked|activated|extended|waived|applied|enabled|deactivated|suspended|renewed|reactivated) (?:your|the|a|it)\b|\b{_HECHO} (?:activado|ampliado|aplicado|renovado|desbloqueado) (?:su|tu|el|la|un)\b"),
        ("changed", rf"\b{_DONE}(?:reset|updated|changed|fixed|resolved|deleted|removed|created|added|corrected|restored|unblocked|blocked|disabled|merged|transferred|verified|configured|repaired|closed) (?:your|the|it|that|this|you|an?)\b|\byour (?:password|account|email|address|card|plan|settings?|data|profile|issue|problem) (?:has been|is now|was) (?:reset|updated|changed|fixed|resolved|deleted|removed|created|corrected|restored|blocked|unblocked|disabled|verified)\b"
                    rf"|\b{_HECHO} (?:cambiado|actualizado|restablecido|eliminado|borrado|corregido|solucionado|creado|bloqueado|desbloqueado|verificado) (?:su|tu|el|la|un|una|lo)\b|\b(?:su|tu) (?:contrasena|cuenta|correo|direccion|tarjeta|plan|problema) ha sido \w+d[oa]\b"),
        ("sent", rf"\b{_DONE}(?:sent|emailed|mailed|texted|messaged|shipped|dispatched|forwarded) (?:you|your|the|it|an?|that|this|over)\b|\b(?:email|mail|link|invoice|copy|package|replacement|code) (?:has been|was) (?:sent|emailed|shipped|dispatched)\b|\b{_HECHO} (?:enviado|mandado|remitido|enviar|mandar)\b"),
        ("escalated", rf"\b{_DONE}(?:escalated|passed (?:this|it|your \w+) (?:on|along|to)|handed (?:this|it) (?:over|to)|notified|informed|alerted|told (?:the|our|a)|contacted|spoken|asked (?:a|the|our|someone)|opened an? (?:\w+ )?(?:ticket|case|request)|created an? (?:\w+ )?(?:ticket|case)|logged (?:a|this|your)|raised (?:a|this|it|your)|filed an?|submitted (?:a|your|the))\b|\b(?:ticket|case) (?:has been|was|is) (?:now )?(?:opened|created|escalated|logged)\b|\b{_HECHO} (?:escalado|pasado|avisado|informado|notificado|abierto|creado|avisar|pedido a)\b"),
        ("remembered", rf"\b{_DONE}(?:noted|saved|remembered|stored|recorded) (?:that|this|it|your)\b|\b{_HECHO} (?:anotado|guardado|apuntado)\b"),
        ("forgotten", rf"\b{_DONE}(?:forgotten|erased|wiped) (?:that|this|it|your|all|everything)\b|\b{_HECHO} (?:olvidado)\b"),
        ("deadline", rf"\b(?:{_WE}(?:'ll| will| shall| is going to| are going to| am going to)\b.{{0,60}}|you(?:'ll| will| should| can expect to)\b (?:\w+ )?(?:hear|receive|get|have|be contacted|see)\b.{{0,50}}|(?:expect|await) (?:an? |our |the )?(?:answer|reply|response|call|email)\b.{{0,30}})\b(?:{_SOON})"
                     rf"|\b(?:le|te|os|les) (?:responderemos|contestaremos|llamaremos|contactaremos|escribiremos|avisaremos|enviaremos|responderan|contactaran)\b.{{0,40}}\b(?:{_SOON})|\b(?:recibira|recibiras|tendra|tendras)\b.{{0,40}}\b(?:respuesta|llamada|correo|noticias)\b.{{0,30}}\b(?:{_SOON})"),
        ("roadmap", r"\b(?:i|we)(?:'ll| will| are going to|'re going to| plan to)(?: soon| definitely)? (?:add|build|ship|release|launch|implement|fix|support|introduce)\b|\b(?:is|are|it's) (?:coming soon|on (?:our|the) roadmap|planned for)\b|\bwill be (?:released|available|fixed|shipped|launched) (?:soon|shortly|in|by|next|later)\b|\b(?:vamos a|pronto) (?:anadir|lanzar|publicar|incluir|arreglar|lanzaremos|anadiremos)\b|\besta(?:ra)? en (?:nuestra|la) hoja de ruta\b"),
        ("legal", r"\b(?:we|i|the company) (?:accept|admit|assume|acknowledge|take)s? (?:full |all |any |legal |complete )*(?:liability|responsibility|blame|fault)\b|\b(?:we|the company) (?:are|is|were) (?:legally )?(?:liable|at fault|to blame|negligent|in breach)\b|\b(?:we|i)(?:'ll| will) (?:compensate|indemnify|reimburse|pay (?:you|for)|cover (?:your|the|all))\b|\blegally binding\b|\bwe (?:hereby )?(?:waive|warrant|commit to|agree to|undertake)\b|\b(?:you have|this is) (?:a |our )?(?:contract|binding agreement)\b|\b(?:aceptamos|asumimos|admitimos) (?:toda |la |plena )*(?:responsabilidad|culpa)\b|\b(?:le|te|os) (?:indemnizaremos|compensaremos)\b|\blegalmente vinculante\b"),
        ("guarantee", r"\b(?:guarantee[sd]?|we promise|i promise|you have my word|rest assured|100 ?% (?:sure|safe|secure|certain)|will never happen again|without (?:any )?risk)\b|\b(?:garantizo|garantizamos|garantizad[oa]|prometo|prometemos|le aseguro|te aseguro|no volvera a (?:pasar|ocurrir))\b"),
    )
)  # fmt: skip
