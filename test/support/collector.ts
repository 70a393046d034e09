import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

type AttributeText = string | readonly string[];

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a span without one. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: { readonly [name: string]: AttributeText };
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly service: string;
}

/** A message's fields by number; messages within are bytes. */
const fieldsOf = (bytes: Uint8Array): Map<number, (Uint8Array | number | bigint)[]> => {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (Uint8Array | number | bigint)[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    if (type === WireType.LengthDelimited) values.push(reader.bytes());
    else if (type === WireType.Varint) values.push(BigInt(reader.uint64()));
    else if (type === WireType.Bit64) values.push(BigInt(reader.fixed64()));
    else if (type === WireType.Bit32) values.push(reader.fixed32());
    else throw new Error(`field ${number} has the wire type ${type}`);
  }
  return fields;
};

const parts = (bytes: Uint8Array, number: number): Uint8Array[] =>
  (fieldsOf(bytes).get(number) ?? []).filter((value) => value instanceof Uint8Array);
const text = (bytes: Uint8Array, number: number): string => Buffer.from(parts(bytes, number)[0] ?? []).toString('utf8');
const hex = (bytes: Uint8Array, number: number): string => Buffer.from(parts(bytes, number)[0] ?? []).toString('hex');
const integer = (bytes: Uint8Array, number: number): number => Number(fieldsOf(bytes).get(number)?.[0] ?? 0);

/** opentelemetry.proto.common.v1.AnyValue: texts, numbers and lists of texts. */
const attributeOf = (any: Uint8Array): AttributeText => {
  const fields = fieldsOf(any);
  if (fields.has(1)) return text(any, 1);
  if (fields.has(3)) return String(integer(any, 3));
  const [list] = parts(any, 5);
  if (list === undefined) throw new Error(`an attribute of the fields ${[...fields.keys()]}`);
  return parts(list, 1).map((item) => text(item, 1));
};

const attributesOf = (message: Uint8Array, number: number): ReceivedSpan['attributes'] =>
  Object.fromEntries(
    parts(message, number).map((pair) => [text(pair, 1), attributeOf(parts(pair, 2)[0] as Uint8Array)]),
  );

/** opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest, read by its field numbers. */
const spansOf = (request: Uint8Array): ReceivedSpan[] =>
  parts(request, 1).flatMap((resourceSpans) => {
    const service = parts(resourceSpans, 1).map((resource) => attributesOf(resource, 1)['service.name'])[0];
    const spans = parts(resourceSpans, 2).flatMap((scopeSpans) => parts(scopeSpans, 2));
    return spans.map((span) => ({
      traceId: hex(span, 1),
      spanId: hex(span, 2),
      parentSpanId: hex(span, 4),
      name: text(span, 5),
      kind: integer(span, 6),
      attributes: attributesOf(span, 9),
      status: integer(parts(span, 15)[0] ?? new Uint8Array(), 3),
      service: String(service),
    }));
  });

export interface CollectedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** An OTLP collector on loopback that keeps what it gets; `answer` is the status that it gives. */
export const startCollector = async (answer: () => number = () => 200) => {
  const spans: ReceivedSpan[] = [];
  const requests: CollectedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers });
      const status = answer();
      if (status === 200) spans.push(...spansOf(Buffer.concat(chunks)));
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    close: (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
