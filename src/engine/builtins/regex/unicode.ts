import { isPrintableCode } from '../format/printable.ts';

// Go 1.26 has the tables of Unicode 15, re2js those of 17. Where the two differ no answer is given (see `isUnsure`).

const categories =
  'Any Ascii Assigned C Cc Cf Cn Co Cs L Lc Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So ' +
  'Z Zl Zp Zs';

// Scripts of one word: those of several Go does not find, for it looks for their names without the underscore.
const scripts =
  'Adlam Ahom Arabic Armenian Avestan Balinese Bamum Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid ' +
  'Carian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari Dogra Duployan ' +
  'Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gurmukhi Han Hangul Hanunoo Hatran ' +
  'Hebrew Hiragana Inherited Javanese Kaithi Kannada Katakana Kawi Kharoshthi Khmer Khojki Khudawadi Lao Latin Lepcha ' +
  'Limbu Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Medefaidrin Miao Modi Mongolian Mro ' +
  'Multani Myanmar Nabataean Nandinagari Newa Nko Nushu Ogham Oriya Osage Osmanya Palmyrene Phoenician Rejang Runic ' +
  'Samaritan Saurashtra Sharada Shavian Siddham Sinhala Sogdian Soyombo Sundanese Syriac Tagalog Tagbanwa Takri Tamil ' +
  'Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Yezidi Yi';

const aliases =
  'Casedletter:Lc Closepunctuation:Pe Combiningmark:M Connectorpunctuation:Pc Control:Cc Currencysymbol:Sc ' +
  'Dashpunctuation:Pd Decimalnumber:Nd Enclosingmark:Me Finalpunctuation:Pf Format:Cf Initialpunctuation:Pi Letter:L ' +
  'Letternumber:Nl Lineseparator:Zl Lowercaseletter:Ll Mark:M Mathsymbol:Sm Modifierletter:Lm Modifiersymbol:Sk ' +
  'Nonspacingmark:Mn Number:N Openpunctuation:Ps Other:C Otherletter:Lo Othernumber:No Otherpunctuation:Po ' +
  'Othersymbol:So Paragraphseparator:Zp Privateuse:Co Punctuation:P Separator:Z Spaceseparator:Zs Spacingmark:Mc ' +
  'Surrogate:Cs Symbol:S Titlecaseletter:Lt Unassigned:Cn Uppercaseletter:Lu Cntrl:Cc Digit:Nd Punct:P';

const classes = new Map<string, string>([
  ...`${categories} ${scripts}`.split(' ').map((name): [string, string] => [name, name]),
  ...aliases.split(' ').map((pair) => pair.split(':') as [string, string]),
]);

const canonical = (name: string): string => {
  const letters = name.replace(/[_ -]/g, '');
  const rest = letters.slice(1).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return letters.slice(0, 1).replace(/[a-z]/, (letter) => letter.toUpperCase()) + rest;
};

/** A name between `\p{` and `}`, a leading `^` included, as re2js knows it; undefined where Go knows none such. */
export const classNamed = (name: string): string | undefined => {
  const negated = name.startsWith('^');
  const found = classes.get(canonical(negated ? name.slice(1) : name));
  return found === undefined ? undefined : (negated ? '^' : '') + found;
};

// What Unicode 17 says of these is not what 15 said: another category, or a partner in the other case.
const changed: ReadonlySet<number> = new Set([0x19b, 0x264, 0x295, 0x345, 0xa7d3, 0xa7d5, 0x1171e]);
const graphic = /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u;

/** Whether a character was assigned, or changed, after Unicode 15. */
export const isUnsure = (character: string): boolean => {
  const code = character.codePointAt(0) ?? 0;
  return code > 0x7f && (changed.has(code) || (graphic.test(character) && !isPrintableCode(code)));
};
