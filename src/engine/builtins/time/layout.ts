// Layouts as Go reads them: the moment "Mon Jan 2 15:04:05 MST 2006" written as the text should look.

const elements =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|2|_2(?!006)|__2|3|4|5|PM|pm|-07(?:0000|:00:00|00|:00)?|Z07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?!\d)/g;

/** Text as it is, and the element behind it; the last has none. */
export interface LayoutPart {
  readonly text: string;
  readonly element?: string;
}

export const layoutParts = (layout: string): readonly LayoutPart[] => {
  const parts: LayoutPart[] = [];
  let at = 0;
  for (const { 0: element, index } of layout.matchAll(elements)) {
    parts.push({ text: layout.slice(at, index), element });
    at = index + element.length;
  }
  parts.push({ text: layout.slice(at) });
  return parts;
};

/** Names that OPA takes for layouts. */
export const namedLayouts: ReadonlyMap<string, string> = new Map([
  ['ANSIC', 'Mon Jan _2 15:04:05 2006'],
  ['UnixDate', 'Mon Jan _2 15:04:05 MST 2006'],
  ['RubyDate', 'Mon Jan 02 15:04:05 -0700 2006'],
  ['RFC822', '02 Jan 06 15:04 MST'],
  ['RFC822Z', '02 Jan 06 15:04 -0700'],
  ['RFC850', 'Monday, 02-Jan-06 15:04:05 MST'],
  ['RFC1123', 'Mon, 02 Jan 2006 15:04:05 MST'],
  ['RFC1123Z', 'Mon, 02 Jan 2006 15:04:05 -0700'],
  ['RFC3339', '2006-01-02T15:04:05Z07:00'],
  ['RFC3339Nano', '2006-01-02T15:04:05.999999999Z07:00'],
]);
