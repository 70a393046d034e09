// Decisions over gRPC: the service of proto/verdict/v1 on grpc-js, which hands over and takes bytes. `decide.ts` is the
// way of a call; what is read and written by hand is checked against the generated code of gen/ by tests.
export type { GrpcOptions, GrpcServer } from './server.ts';
export { startGrpcServer } from './server.ts';
export type { GrpcLimits, GrpcSettings } from './settings.ts';
export { defaultGrpcSettings, grpcSchema } from './settings.ts';
