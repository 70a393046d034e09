export interface LogRecord {
  readonly index: number;
  /** The leaf, byte by byte. */
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a record as an outsider reads it
  readonly record: any;
  /** Side values by pointer; undefined for one that is not there. */
  readonly aside: { readonly [pointer: string]: string | undefined };
  /** True for a record out of a file that recovery set aside. */
  readonly setAside: boolean;
}

export declare const readLog: (directory: string) => {
  readonly origin: string;
  readonly records: readonly LogRecord[];
  readonly problems: readonly string[];
};
