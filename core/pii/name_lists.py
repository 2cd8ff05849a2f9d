"""Names, written for this project: common ones of Europe, the Americas, Africa and Asia.

Owns the lists alone. `AMBIGUOUS` given names are also surnames, places or products: alone they count only after a cue.
`WORDS` are words too, and a surname beside them is no proof. Not here: how a name is recognised (people.py).
"""

# ruff: noqa: SIM905 - a list of words reads better as words

_PLAIN = """
aaliyah aaron abdul abdullah abigail adele adrian adriana adriano agata agnes agnieszka ahmed aiko aisha akira alain
alan albert alberto alejandra alejandro aleksander aleksandra alessandra alessandro alessia alexander alexandre
alexey alfonso alfred alfredo alicia alina alison allison alvaro alyssa amalia amanda amelia amelie amina amir amit
amy anastasia andre andrea andreas andrei andres andrew andrzej andré andrés angela angelica angelina angelo anika
anita anja anjali anna annabel anne annette annie annika ansgar anthony antoine anton antonia antonio antti anya
arjun arno arnold arthur arturo arun asha ashley asif astrid aurelie ayesha barbara bartosz beate beatrice beatriz
becky belén benedikt benjamin benoit bernard bernardo bernd beth bethany bettina bianca birgit bjorn björn bogdan
bonnie boris brandon brenda brendan brian brigitte brittany bruno bryan caitlin camila camille carina carl carla
carlos carmen carole carolina caroline carsten catalina catarina catherine cathy cecilia celia celine chantal
charlene charles charlie chiara chloe chloé christa christiane christina christine christoph christophe christopher
claire clara claudia claudio claus clemens colette colin connor constance corinna cornelia cristian cristina cynthia
damian damien daniel daniela daniele danielle danny daria dario darius dave david davide debbie deborah deepak
deepika denis denise dennis derek diana diane diego dieter dietmar dimitri dirk dmitri dmitry dominik dominique
donald donna dorota dorothy dragan dylan eddie edgar edith eduardo edward edwin eileen ekaterina elaine elena eleni
eleonora elias elisa elisabeth elise eliza elizabeth ellen elodie elsa emil emilia emiliano emilie emilio emily emma
emmanuel enrico enrique eric erica erich erik erika erin ernesto ernst esteban esther ethan eugene eugenia evan
evelyn ewa fabian fabio fabrice farah fatima federica federico felicia felipe felix ferdinand fernanda fernando
filip fiona florian francesca francesco francis francisca francisco franck francois françois frederic frederick
frederik friedrich gabriel gabriela gabriele gabrielle gareth gary gavin gemma genevieve geoffrey georg georges
georgina gerald gerard gerardo gerd gerhard gertrud giacomo gianluca gianni gilbert gilles gina giorgio giovanna
giovanni giulia giuseppe gonzalo greg gregory greta gretchen grzegorz guido guillaume guillermo gunther gustav
gustavo hamza hana hanna hannah hannes hans harald harold harriet harry hasan hassan heather hector heidi heike
heiko heinrich heinz helen helena helene helga helmut henri henrik henry herbert hermann hilda hiroshi holger horst
hubert hugo héctor ian ibrahim ignacio ike ilse imran ines inga inge ingrid inmaculada inés irena irene irina isaac
isabel isabella isabelle ismael ivan ivana ivo iván jackie jacob jacqueline jacques jaime jakob jakub james jamie
jana jane janet janice janina jannik janusz jared jaroslav jason javier jeanette jeff jeffrey jelena jennifer jenny
jens jeremy jerome jesper jesse jessica jill jim jimmy joachim joan joana joanna joanne joao joaquin joaquín jochen
joe joel joelle johan johanna johannes john johnny jolanta jon jonas jonathan jorge jose josef josefa josefina
joseph joshua josé jozef joão juan juanita judith judy julia julian juliana juliane julie julien juliet juliette
julio jurgen justin justyna jutta jürgen kamal kamil karen karim karin karina karl karla karolina kasper katarina
katarzyna kate katharina katherine kathleen kathrin kathryn kathy katie katja katrin keith kelly kenji kenneth kerry
kerstin kevin khalid kimberly kirsten kjell klara klaus konrad konstantin kristen kristian kristin kristina krystyna
krzysztof kurt kyle lakshmi larissa lars laszlo laura lauren laurence laurent laurie leah leila lena leonardo leonie
leonor leopold leslie leticia liam lidia lilian liliana lillian linda lindsay lisa lisbeth lise livia lorena lorenzo
lorraine louis louisa louise luc luca lucas lucia lucie lucy lucía ludwig luigi luis luisa luiz lukas lukasz luke
luís lydia lászló léa maarten maciej madeleine magdalena magnus mahmoud malgorzata malika manfred manuel manuela
marc marcel marcela marcello marcelo marcin marco marcos marcus margaret margarita margit margot margrit maria
mariam mariana marianne marie marija marina mario marion marisa marissa markus marta martha martina martín mary
maryam maría massimo mateo mateusz mathias mathieu mathilde matias matteo matthew matthias matthieu matías maureen
maurice mauricio mauro maxim maxime maximilian małgorzata megan mehmet melanie melissa michael michaela michal
michał michel michele michelle miguel mihai mikael mike mikhail milena milos miranda mirjam mirko miroslav mohamed
mohammad mohammed moises moisés monica monika monique moritz muhammad murat mustafa mónica nadia nadine naomi
natalia natalie nataly natasha nathalie nathan neha neil nicholas nick nicky nicola nicolas nicole niels nikhil
nikita nikolai nikolaus nikos nils nina noah noemi nora norbert nuria núria octavio odette olaf oleg olga oliver
olivia olivier omar ophelie oskar otto pablo palle pamela paola paolo pascal patrice patricia patrick patrik paul
paula pauline paulo pavel pawel paweł pedro peggy penelope petar peter petr petra philip philipp philippe phillip
phyllis pierre pieter piotr priya rachel rafael rahul rainer raj rajesh ralf ralph ramiro ramon ramón raphael raquel
rasmus raul ravi raymond raúl rebecca reinhard renata renate rene rené ricardo riccardo richard rick rita robert
roberta roberto rodrigo roger roland rolf romain ronald rosalie rosemary rosie roy ruben rubén rudi rudolf rupert
ruth ryan sabine sabrina salma samantha samir samuel sandra sanjay sara sarah sasha saskia sebastian sebastián
serena serge sergei sergey sergio seth severin shane shannon sharon sheila shirley sibylle sigrid silke silvia
silvio simon simona simone slavko sofie sofía sonia sonja sophie soren stacy stanislav stefan stefania stefanie
stefano steffen stephan stephane stephanie stephen steve steven stéphane sunita suresh susan susana susanna susanne
suzanne svein sven svetlana sylvia sylvie szymon søren tamara tanja tanya tara tatiana teresa thea theodor theresa
therese thierry thomas thorsten tiago tilo timo timothy tina tobias todd tomas tomasz tommy tomás toni torben
torsten tracy trevor tuomas udo ulrich ulrike umberto ursula uwe vaclav valeria valerie vanessa vera verena veronica
veronika veronique vicente vicki viktor viktoria vincent vincenzo vittorio vivian viviana vladimir volker víctor
waltraud wendy werner wilhelm willem william wojciech wolfgang ximena yann yannick yasmin yolanda yousef yuki yuri
yusuf yves yvonne zbigniew zeynep zoe zofia zsofia zuzana álvaro łukasz
"""
AMBIGUOUS = frozenset(
    """
alba alexandra ali alma ana ann aurora austin ava belen ben blanca charlotte chelsea chris christian dallas dana
dolores douglas duncan ed elif ella eva florence george gordon howard ida jack jan jean jesus jesús kai kay ken kent
kim kumar lara lea leo leon leonard lincoln liv lourdes lynn madison maja martin maya mei mia milagros milan nelson
nieves ole orlando oscar paris pia pilar regina remedios robin rocio rocío rosa russell salvador sam santiago scott
sean sofia soledad sophia stuart sydney ted terry theo tim tom tony valencia valentina victor victoria virginia
walter wanda xavier
""".split()
)
WORDS = frozenset(
    """
alice amber angel april art august axel bill bob brook carol chad chase cruz dan dawn drew faith frank gene gloria
grace grant guy hope iris ivy joy june lily luz mar mark max may mercedes miles mina norma nova olive pat paz pearl
penny per ray rich rob roman rose ruby sandy sierra sky sol stella sue summer viola violet will
""".split()
)
SURNAMES = frozenset(
    """
abebe adeyemi ahmed allen almeida alvarez andersen anderson andersson araújo bakker barbosa bauer becker begum
bertrand bianchi bonnet boyd braun bryant campbell carter carvalho castro chen chowdhury christensen clark cohen
coleman collins colombo conti cooper crawford daniels davis delgado dixon dubois dunn dupont durand edwards eriksson
esposito fernandes ferrari ferreira fischer flores fournier friedman gallo garcia garcía garrido gibson gil giordano
girard goldberg gomes gonzales gonzalez gonzález gordon greco griffin guerrero gupta gustafsson hansen harrison
hartmann henderson hernandez hernández hicks hoffmann hofmann holmes horvat horváth huang hughes hussain iglesias
ivanov jackson janssen jenkins jensen johansson johnson jones karlsson katz kennedy khan kobayashi korhonen kovács
kowalski krause krüger lambert larsen laurent lefebvre lehmann leroy levy lewis lombardi lopez lópez mancini marino
martinez martins marín mcdonald meier meijer mendoza mensah mercier meyer mitchell mohammed moore moreau morel
moreno moretti morgan morris mueller mulder murphy murray müller nagy navarro nelson neumann nguyen nielsen nilsson
novak novák nowak okafor oliveira ortega ortiz osman patel patterson pedersen peeters pereira perez perry peterson
petrov pham phillips popov powell pérez ramirez ramírez rasmussen reyes ribeiro ricci richardson richter rivera
rizzo roberts robertson robinson rodriguez rodríguez rogers romano romero ross rossi roux rubio ruiz russo sanchez
sanders sato schmidt schmitt schneider schröder schulz schwarz serrano sharma shaw sidorov simmons simpson singh
smith souza stevens stewart suzuki svensson szabó sánchez sørensen takahashi tanaka taylor thomas thompson torres
tran tucker tóth vargas vieira virtanen visser volkov wagner walker wang warren watanabe watson webb weber werner
williams wilson yamamoto zhang zhao zhou zimmermann álvarez
""".split()
)
NAMES = frozenset(_PLAIN.split()) | AMBIGUOUS | WORDS
