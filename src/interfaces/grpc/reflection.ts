import type { DescFile, MessageInitShape } from '@bufbuild/protobuf';
import { create, createRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from './gen/grpc/reflection/v1/reflection_pb.ts';

type Asking = ServerDuplexStream<Buffer, Buffer>;
type Response = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

/** A file and those it imports, each once, itself first. */
const withImports = (file: DescFile, found = new Set<DescFile>()): Set<DescFile> => {
  if (found.has(file)) return found;
  found.add(file);
  for (const imported of file.dependencies) withImports(imported, found);
  return found;
};

const notFound = (what: string): Response => ({
  case: 'errorResponse',
  value: { errorCode: status.NOT_FOUND, errorMessage: what },
});

/** `grpc.reflection.v1.ServerReflection`, and the same messages as v1alpha: what a server speaks, out of these files. */
export const createReflectionService = (files: readonly DescFile[]) => {
  const all = new Set(files.flatMap((file) => [...withImports(file)]));
  const byName = new Map([...all].map((file) => [`${file.name}.proto`, file]));
  const registry = createRegistry(...all);
  const services = files.flatMap((file) => file.services.map(({ typeName }) => ({ name: typeName })));
  const calls = new Set<Asking>();

  const described = (file: DescFile): Response => ({
    case: 'fileDescriptorResponse',
    value: {
      fileDescriptorProto: [...withImports(file)].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)),
    },
  });

  /** The file of a message, an enum, a service, or a method of one. */
  const fileOf = (symbol: string): DescFile | undefined => {
    const found = registry.get(symbol) ?? registry.get(symbol.slice(0, Math.max(0, symbol.lastIndexOf('.'))));
    return found === undefined ? undefined : found.file;
  };

  const respond = ({ messageRequest }: ServerReflectionRequest): Response => {
    switch (messageRequest.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: services } };
      case 'fileByFilename': {
        const file = byName.get(messageRequest.value);
        return file === undefined ? notFound('there is no such file') : described(file);
      }
      case 'fileContainingSymbol': {
        const file = fileOf(messageRequest.value);
        return file === undefined ? notFound('there is no such symbol') : described(file);
      }
      case 'fileContainingExtension':
      case 'allExtensionNumbersOfType':
        return notFound('nothing is extended');
      case undefined:
        return {
          case: 'errorResponse',
          value: { errorCode: status.INVALID_ARGUMENT, errorMessage: 'nothing is asked' },
        };
    }
  };

  return {
    info: (call: Asking): void => {
      calls.add(call);
      call.on('error', () => {});
      call.once('close', () => calls.delete(call));
      call.on('data', (bytes: Buffer) => {
        try {
          const originalRequest = fromBinary(ServerReflectionRequestSchema, bytes);
          const answer = {
            validHost: originalRequest.host,
            originalRequest,
            messageResponse: respond(originalRequest),
          };
          const message = create(ServerReflectionResponseSchema, answer);
          call.write(Buffer.from(toBinary(ServerReflectionResponseSchema, message)));
        } catch (cause) {
          const error = new Error('the message is no ServerReflectionRequest', { cause });
          call.destroy(Object.assign(error, { code: status.INVALID_ARGUMENT }));
        }
      });
      call.on('end', () => call.end());
    },
    /** Ends what would otherwise be open for ever. */
    end: (): void => {
      for (const call of calls) call.end();
      calls.clear();
    },
  };
};
