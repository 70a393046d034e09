import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../canonical/index.ts';
import type { PageReply, PageRequest } from './page.ts';
import { readPage } from './page.ts';

export type ReadingAnswer = { readonly page: PageReply } | { readonly failure: string };

const port = parentPort;

port?.on('message', (request: PageRequest) => {
  readPage(request).then(
    (page) => port.postMessage({ page } satisfies ReadingAnswer, [page.bytes.buffer as ArrayBuffer]),
    (error: unknown) => port.postMessage({ failure: messageOf(error) } satisfies ReadingAnswer),
  );
});
