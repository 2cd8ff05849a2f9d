"""How clients announce the mail they quote, by client and language; every text is written for the tests."""

WHO = "Usher <support@lumen.example>"
ANNOUNCED = {
    "proton": "On Wednesday, March 4th, 2026 at 12:01 PM, Usher <support@lumen.example> wrote:",
    "proton_signed": (
        "Sent with Proton Mail secure email.\n"
        "\n"
        "On Wednesday, March 4th, 2026 at 12:01 PM, Usher <support@lumen.example> wrote:"
    ),
    "proton_old": "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Wednesday, March 4th, 2026 at 12:01, Usher wrote:",
    "polymail": "On Wed, Mar 4, 2026 at 12:01 PM\n\nmailto:support@lumen.example wrote:",
    "samsung": "Sent from Samsung MobileUsher <support@lumen.example> wrote:",
    "samsung2": (
        "-------- Original message --------\n"
        "From: Usher <support@lumen.example>\n"
        "Date: 04/03/2026 12:01 (GMT+01:00)\n"
        "To: ana@acme.example\n"
        "Subject: Re: Export"
    ),
    "samsung_de": (
        "-------- Ursprüngliche Nachricht --------\n"
        "Von: Usher <support@lumen.example>\n"
        "Datum: 04.03.26 12:01 (GMT+01:00)\n"
        "An: ana@acme.example\n"
        "Betreff: Re: Export"
    ),
    "samsung_es": (
        "-------- Mensaje original --------\n"
        "De: Usher <support@lumen.example>\n"
        "Fecha: 4/3/26 12:01 (GMT+01:00)\n"
        "A: ana@acme.example\n"
        "Asunto: Re: Export"
    ),
    "samsung_fr": (
        "-------- Message d'origine --------\n"
        "De : Usher <support@lumen.example>\n"
        "Date : 04/03/2026 12:01 (GMT+01:00)\n"
        "À : ana@acme.example\n"
        "Objet : Re: Export"
    ),
    "samsung_it": (
        "-------- Messaggio originale --------\n"
        "Da: Usher <support@lumen.example>\n"
        "Data: 04/03/26 12:01 (GMT+01:00)\n"
        "A: ana@acme.example\n"
        "Oggetto: Re: Export"
    ),
    "yahoo": "On Wednesday, March 4, 2026 at 12:01:10 PM GMT+1, Usher <support@lumen.example> wrote: ",
    "yahoo_es": "El miércoles, 4 de marzo de 2026, 12:01:10 CET, Usher <support@lumen.example> escribió:",
    "yahoo_de": "Am Mittwoch, 4. März 2026, 12:01:10 MEZ hat Usher <support@lumen.example> Folgendes geschrieben:",
    "yahoo_fr": "Le mercredi 4 mars 2026 à 12:01:10 UTC+1, Usher <support@lumen.example> a écrit :",
    "yahoo_it": "Il mercoledì 4 marzo 2026 alle ore 12:01:10 CET, Usher <support@lumen.example> ha scritto:",
    "yahoo_pt": "Em quarta-feira, 4 de março de 2026 às 12:01:10 BRT, Usher <support@lumen.example> escreveu:",
    "apple_de": "Am 04.03.2026 um 12:01 schrieb Usher <support@lumen.example>:",
    "apple_fr": "Le 4 mars 2026 à 12:01, Usher <support@lumen.example> a écrit :",
    "apple_nl": "Op 4 mrt. 2026, om 12:01 heeft Usher <support@lumen.example> het volgende geschreven:",
    "apple_nl2": "Op 4 mrt 2026 om 12:01 heeft Usher <support@lumen.example> het volgende geschreven:\n",
    "apple_it": "Il giorno 4 mar 2026, alle ore 12:01, Usher <support@lumen.example> ha scritto:",
    "apple_pt": "No dia 4 de mar. de 2026, às 12:01, Usher <support@lumen.example> escreveu:",
    "apple_ptbr": "Em 4 de mar. de 2026, à(s) 12:01, Usher <support@lumen.example> escreveu:",
    "apple_sv": "4 mars 2026 kl. 12:01 skrev Usher <support@lumen.example>:",
    "apple_da": "Den 4. mar. 2026 kl. 12.01 skrev Usher <support@lumen.example>:",
    "apple_no": "4. mar. 2026 kl. 12:01 skrev Usher <support@lumen.example>:",
    "apple_fi": "Usher <support@lumen.example> kirjoitti 4.3.2026 kello 12.01:",
    "gmail_fi": "ke 4. maalisk. 2026 klo 12.01 Usher (support@lumen.example) kirjoitti:",
    "apple_cs": "4. 3. 2026 v 12:01, Usher <support@lumen.example>:",
    "gmail_cs": "st 4. 3. 2026 v 12:01 odesílatel Usher <support@lumen.example> napsal:",
    "apple_ru": "4 марта 2026 г., в 12:01, Usher <support@lumen.example> написал(а):",
    "gmail_ru": "ср, 4 мар. 2026 г. в 12:01, Usher <support@lumen.example>:",
    "apple_ja": "2026/03/04 12:01、Usher <support@lumen.example>のメール:",
    "gmail_ja": "2026年3月4日(水) 12:01 Usher <support@lumen.example>:",
    "apple_zh": "在 2026年3月4日，12:01，Usher <support@lumen.example> 写道：",
    "gmail_zh": "Usher <support@lumen.example> 于2026年3月4日周三 12:01写道：",
    "gmail_tw": "Usher <support@lumen.example> 於 2026年3月4日 週三 下午12:01寫道：",
    "apple_ko": "2026. 3. 4. 오후 12:01, Usher <support@lumen.example> 작성:",
    "gmail_ko": "2026년 3월 4일 (수) 오후 12:01, Usher <support@lumen.example>님이 작성:",
    "gmail_pl": "śr., 4 mar 2026 o 12:01 Usher <support@lumen.example> napisał(a):",
    "apple_pl": "Wiadomość napisana przez Usher <support@lumen.example> w dniu 04.03.2026, o godz. 12:01:",
    "gmail_tr": "Usher <support@lumen.example>, 4 Mar 2026 Çar, 12:01 tarihinde şunu yazdı:",
    "gmail_hu": "Usher <support@lumen.example> ezt írta (időpont: 2026. márc. 4., Sze, 12:01):",
    "gmail_uk": "ср, 4 бер. 2026 р. о 12:01 Usher <support@lumen.example> пише:",
    "gmail_el": "Στις Τετ 4 Μαρ 2026 στις 12:01 μ.μ., ο/η Usher <support@lumen.example> έγραψε:",
    "gmail_ro": "mie., 4 mar. 2026 la 12:01, Usher <support@lumen.example> a scris:",
    "gmail_vi": "Vào Th 4, 4 thg 3, 2026 vào lúc 12:01 Usher <support@lumen.example> đã viết:",
    "gmail_he": (
        "\u202b"
        "בתאריך יום ד׳, 4 במרץ 2026 ב-12:01 מאת \u202aUsher\u202c\u200f "
        "<\u202asupport@lumen.example\u202c\u200f>:\u202c"
    ),
    "gmail_ar": "في الأربعاء، 4 مارس 2026 في 12:01 م تمت كتابة ما يلي بواسطة Usher <support@lumen.example>:",
    "gmail_ca": "Missatge de Usher <support@lumen.example> del dia dc., 4 de març 2026 a les 12:01:",
    "tb_es": "El 04/03/2026 a las 12:01, Usher escribió:",
    "tb_fr": "Le 04/03/2026 à 12:01, Usher a écrit :",
    "tb_it": "Il 04/03/2026 12:01, Usher ha scritto:",
    "tb_pt": "Em 04/03/2026 12:01, Usher escreveu:",
    "tb_nl": "Op 04-03-2026 om 12:01 schreef Usher:",
    "tb_sv": "Den 2026-03-04 kl. 12:01, skrev Usher:",
    "tb_da": "Den 04.03.2026 kl. 12.01 skrev Usher:",
    "tb_no": "Den 04.03.2026 12:01, skrev Usher:",
    "tb_fi": "Usher kirjoitti 4.3.2026 klo 12.01:",
    "tb_cs": "Dne 04. 03. 26 v 12:01 Usher napsal(a):",
    "tb_ru": "04.03.2026 12:01, Usher пишет:",
    "tb_ja": "2026/03/04 12:01, Usher wrote:",
    "tb_zh": "在 2026/3/4 12:01, Usher 写道:",
    "tb_pl": "W dniu 4.03.2026 o 12:01, Usher pisze:",
    "gmail_old": "2026/3/4 Usher <support@lumen.example>",
    "gmail_old2": "2026-03-04 12:01 GMT+01:00 Usher <support@lumen.example>:",
    "lotus": "Usher <support@lumen.example>@LUMEN on 03/04/2026 12:01:00 PM",
    "mailru": "Среда, 4 марта 2026, 12:01 +03:00 от Usher <support@lumen.example>:",
    "yandex": '04.03.2026, 12:01, "Usher" <support@lumen.example>:',
    "hey": "On March 4, 2026, Usher <support@lumen.example> wrote:",
    "superhuman": "On Wed, Mar 04, 2026 at 12:01 PM, Usher <support@lumen.example> wrote:",
    "fastmail": "On Wed, 4 Mar 2026, at 12:01 PM, Usher wrote:",
    "zoho": "---- On Wed, 04 Mar 2026 12:01:00 +0100 Usher <support@lumen.example> wrote ---",
    "zoho2": "---- Usher <support@lumen.example> escribió el Wed, 04 Mar 2026 12:01:00 +0100 ----",
    "gmx": (
        "Gesendet: Mittwoch, 04. März 2026 um 12:01 Uhr\n"
        'Von: "Usher" <support@lumen.example>\n'
        "An: ana@acme.example\n"
        "Betreff: Re: Export"
    ),
    "kmail": "On Wednesday, 4 March 2026 12:01:00 CET Usher wrote:",
    "evolution": "On Wed, 2026-03-04 at 12:01 +0000, Usher wrote:",
    "mutt": "On Wed, Mar 04, 2026 at 12:01:00PM +0100, Usher wrote:",
    "gnus": "Usher <support@lumen.example> writes:",
    "outlook_it": (
        "Da: Usher <support@lumen.example>\n"
        "Inviato: mercoledì 4 marzo 2026 12:01\n"
        "A: Ana <ana@acme.example>\n"
        "Oggetto: R: Export"
    ),
    "outlook_pt": (
        "De: Usher <support@lumen.example>\n"
        "Enviada em: quarta-feira, 4 de março de 2026 12:01\n"
        "Para: Ana <ana@acme.example>\n"
        "Assunto: RES: Export"
    ),
    "outlook_pt2": (
        "De: Usher <support@lumen.example>\n"
        "Enviado: 4 de março de 2026 12:01\n"
        "Para: Ana <ana@acme.example>\n"
        "Assunto: RES: Export"
    ),
    "outlook_nl": (
        "Van: Usher <support@lumen.example>\n"
        "Verzonden: woensdag 4 maart 2026 12:01\n"
        "Aan: Ana <ana@acme.example>\n"
        "Onderwerp: RE: Export"
    ),
    "outlook_sv": (
        "Från: Usher <support@lumen.example>\n"
        "Skickat: den 4 mars 2026 12:01\n"
        "Till: Ana <ana@acme.example>\n"
        "Ämne: SV: Export"
    ),
    "outlook_da": (
        "Fra: Usher <support@lumen.example>\n"
        "Sendt: 4. marts 2026 12:01\n"
        "Til: Ana <ana@acme.example>\n"
        "Emne: SV: Export"
    ),
    "outlook_no": (
        "Fra: Usher <support@lumen.example>\n"
        "Sendt: onsdag 4. mars 2026 12:01\n"
        "Til: Ana <ana@acme.example>\n"
        "Emne: SV: Export"
    ),
    "outlook_fi": (
        "Lähettäjä: Usher <support@lumen.example>\n"
        "Lähetetty: keskiviikko 4. maaliskuuta 2026 12.01\n"
        "Vastaanottaja: Ana <ana@acme.example>\n"
        "Aihe: VS: Export"
    ),
    "outlook_cs": (
        "Od: Usher <support@lumen.example>\n"
        "Odesláno: středa 4. března 2026 12:01\n"
        "Komu: Ana <ana@acme.example>\n"
        "Předmět: RE: Export"
    ),
    "outlook_ru": (
        "От: Usher <support@lumen.example>\n"
        "Отправлено: 4 марта 2026 г. 12:01\n"
        "Кому: Ana <ana@acme.example>\n"
        "Тема: RE: Export"
    ),
    "outlook_ja": (
        "差出人: Usher <support@lumen.example>\n"
        "送信日時: 2026年3月4日 12:01\n"
        "宛先: Ana <ana@acme.example>\n"
        "件名: RE: Export"
    ),
    "outlook_zh": (
        "发件人: Usher <support@lumen.example>\n"
        "发送时间: 2026年3月4日 12:01\n"
        "收件人: Ana <ana@acme.example>\n"
        "主题: RE: Export"
    ),
    "outlook_tw": (
        "寄件者: Usher <support@lumen.example>\n"
        "寄件日期: 2026年3月4日 12:01\n"
        "收件者: Ana <ana@acme.example>\n"
        "主旨: RE: Export"
    ),
    "outlook_ko": (
        "보낸 사람: Usher <support@lumen.example>\n"
        "보낸 날짜: 2026년 3월 4일 수요일 오후 12:01\n"
        "받는 사람: Ana <ana@acme.example>\n"
        "제목: RE: Export"
    ),
    "outlook_pl": (
        "Od: Usher <support@lumen.example>\n"
        "Wysłano: środa, 4 marca 2026 12:01\n"
        "Do: Ana <ana@acme.example>\n"
        "Temat: RE: Export"
    ),
    "outlook_tr": (
        "Kimden: Usher <support@lumen.example>\n"
        "Gönderildi: 4 Mart 2026 Çarşamba 12:01\n"
        "Kime: Ana <ana@acme.example>\n"
        "Konu: RE: Export"
    ),
    "outlook_hu": (
        "Feladó: Usher <support@lumen.example>\n"
        "Elküldve: 2026. március 4., szerda 12:01\n"
        "Címzett: Ana <ana@acme.example>\n"
        "Tárgy: RE: Export"
    ),
    "outlook_fr": (
        "De : Usher <support@lumen.example>\n"
        "Envoyé : mercredi 4 mars 2026 12:01\n"
        "À : Ana <ana@acme.example>\n"
        "Objet : RE: Export"
    ),
    "outlook_fr2": (
        "De : Usher <support@lumen.example>\n"
        "Date : mercredi, 4 mars 2026 à 12:01\n"
        "À : Ana <ana@acme.example>\n"
        "Objet : RE: Export"
    ),
    "outlook_mac_de": (
        "Von: Usher <support@lumen.example>\n"
        "Datum: Mittwoch, 4. März 2026 um 12:01\n"
        "An: Ana <ana@acme.example>\n"
        "Betreff: Re: Export"
    ),
    "outlook_bold": (
        "**From:** Usher <support@lumen.example>\n"
        "**Sent:** Wednesday, March 4, 2026 12:01 PM\n"
        "**To:** Ana\n"
        "**Subject:** RE: Export"
    ),
    "zh_dash": (
        "------------------ 原始邮件 ------------------\n"
        '发件人: "Usher" <support@lumen.example>;\n'
        "发送时间: 2026年3月4日(星期三) 中午12:01\n"
        '收件人: "ana" <ana@acme.example>;\n'
        "主题: Re: Export"
    ),
    "netease": 'At 2026-03-04 12:01:00, "Usher" <support@lumen.example> wrote:',
    "netease_zh": '在 2026-03-04 12:01:00，"Usher" <support@lumen.example> 写道：',
    "dashed_wrote": "--- Usher <support@lumen.example> wrote:",
    "lotus_de": "-----Ursprüngliche Nachricht-----",
    "lotus_notes": "Usher ---03/04/2026 12:01:00 PM---Open the board",
    "lotus_notes2": (
        "From:\tUsher <support@lumen.example>\n"
        "To:\tana@acme.example\n"
        "Date:\t03/04/2026 12:01 PM\n"
        "Subject:\tRe: Export"
    ),
    "front_it": "Il mer, mar 4, 2026 at 12:01, Usher\n<support@lumen.example> ha\nscritto:",
    "long3": (
        "On Wed, Mar 4, 2026 at 12:01 PM Usher via Lumen Boards Customer Success\n"
        "Department <\n"
        "support@lumen.example>\n"
        "wrote:"
    ),
}
