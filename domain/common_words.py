"""What passwords are made of when they are not thought about. Breached lists are full of it, with a tail of digits."""

from __future__ import annotations

PLAIN = """
access account admin administrator adobe alpha america apple arsenal asshole autumn baby babygirl backup bailey banana
barcelona baseball basketball batman bismillah bitch biteme blink blue bond brother butterfly canada change changeit
changeme charlie cheese chelsea chicken chocolate christmas company computer cookie corvette cowboy crystal dallas
default demo diamond doctor dolphin dragon eagle eagles eminem enter facebook faith family ferrari fish flower
football forever freedom friend friends fuck fucker fuckoff fuckyou galaxy gateway gfhjkm ginger girl god gold golden
golf google green guest guitar gunner hacker happy harley hello hockey home hope horny hotdog hottie house hunter
iloveu iloveyou india indonesia internet israel jaguar jesus jesuschrist junior justice juventus killer king knight
lakers letmein liverpool login lol london lotus love lovely loveme lover lovers loveyou lucky magic manager manchester
marina marlboro master matrix maverick mercedes merlin mickey midnight monday money monkey monster mother motherfucker
mustang naruto nintendo nothing november october office online orange pakistan panther parker pass passcode passw
password peace peanut pepper phoenix phone player please pokemon porsche princess private pussy qazwsx qwe qwer rabbit
rainbow ranger rangers real realmadrid root royal samsung scooter secret secure security september service sex sexy
shadow silver sister skype snoopy soccer spider spiderman spring star starwars stupid suck summer sunday sunshine
super superman superstar system teddy temp tennis test tester testing testtest thomas thunder tiger tigger trustme
trustno unbelievable united unknown user username victory viking wall welcome whatever william windows winner winter
wizard world yankee yankees yellow zxcv

aaron abigail adam alex alexander alexandra alexis alice amanda amber andrea andrew angel angela anna anthony antonio
ashley austin barbara benjamin brandon brian carlos caroline charles chris christian christina christopher daniel
daniela danielle david diana edward elizabeth emily eric fernando francisco gabriel george hannah heather isabella
jack jackson jacob james jasmine jason jennifer jeremy jessica john jonathan jordan jorge joseph joshua juan julia
justin karen katherine kevin laura lauren leonardo linda lisa lucas madison maria marie mark martin mary matthew
maxwell melissa michael michelle mike mohamed mohammed muhammad natalia natasha nathan nicholas nicole oliver olivia
pamela patricia patrick paul peter rachel rebecca ricardo richard robert ryan samantha samuel sandra sarah sebastian
sergey sofia sophie stephanie steven susan taylor tiffany tyler valentina vanessa veronica victor victoria vladimir

amigos amor amore azerty bonjour cambiar casanova chouchou clave contrasena contraseña estrella familia hallo haslo
heslo hola jetaime kocham losenord loulou lösenord mahal marseille mexico mima motdepasse palabra parola parool
passord passwort polska qwertz salasana schatz secreto senha sifre soleil teamo tequiero tinkerbell wachtwoord woaini
йцукен любовь наташа пароль привет сейчас אהבה סיסמה שלום パスワード 密码
"""
"""Things, names of people, and the same in other languages."""
WORDS = frozenset(PLAIN.split()) | {str(year) for year in range(1940, 2040)}

ROWS = (
    "`1234567890-=", "~!@#$%^&*()_+", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiopü", "yxcvbnm",
    "azertyuiop", "qsdfghjklm", "wxcvbn", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю", "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "qazwsxedcrfvtgbyhnujmikolp",
    "zaq12wsxcde34rfvbgt56yhn", "qweasdzxc", "!qaz@wsx#edc$rfv%tgb^yhn&ujm*ik",
)  # fmt: skip
WALKS = "\n".join((*ROWS, *(row[::-1] for row in ROWS)))
"""Where fingers go on keyboards, there and back."""
