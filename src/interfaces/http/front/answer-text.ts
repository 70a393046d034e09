import { STATUS_CODES } from 'node:http';

export const CLOSE = 'Connection: close\r\n\r\n';
export const NO_MORE = '\r\n';
const UNSAFE = /[^\t\x20-\x7e]/;

const dates = { second: 0, text: '' };

/** RFC 9110, section 6.6.1: the time of the answer. */
const dateText = (): string => {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dates.second) {
    dates.second = second;
    dates.text = new Date(second * 1000).toUTCString();
  }
  return dates.text;
};

const statusLines = new Map(
  Object.entries(STATUS_CODES).map(([status, phrase]) => [Number(status), `HTTP/1.1 ${status} ${phrase}\r\n`]),
);

/** Whether a header Connection is among names and values in turn. */
export const saysConnection = (headers: readonly string[]): boolean => {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === 'Connection') return true;
  return false;
};

/**
 * The status line and all headers, in the order in which node:http writes them; `end` are the last lines, with the empty
 * one. Throws TypeError for a value that would not stay one header.
 */
export const answerText = (status: number, headers: readonly string[], end: string): string => {
  let text = statusLines.get(status) ?? `HTTP/1.1 ${status} \r\n`;
  for (let at = 0; at < headers.length; at += 2) {
    const value = headers[at + 1] as string;
    // What others chose (a bundle's name, a request's id) begins no header of its own.
    if (UNSAFE.test(value)) throw new TypeError(`a character that no header may have, in ${headers[at]}`);
    text += `${headers[at]}: ${value}\r\n`;
  }
  return `${text}Date: ${dateText()}\r\n${end}`;
};
