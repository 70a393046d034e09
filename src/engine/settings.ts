import type { Budget } from './model.ts';
import type { NetworkSettings } from './network/model.ts';

/** `engine`: what one evaluation may take, and the threads for evaluations that run OPA's Go builtins. */
export interface EngineSettings {
  readonly instructions: number;
  readonly decidingInstructions: number;
  readonly maxInstructions: number;
  readonly memoryBytes: number;
  readonly resultBytes: number;
  readonly argumentBytes: number;
  readonly deadlineMs: number;
  readonly workers: number;
  readonly spareWorkers: number;
  readonly queuedEvaluations: number;
  readonly network: NetworkSettings;
}

const mebibyte = 1_048_576;

/** The `engine` section of the configuration: JSON Schema with every key's meaning, unit and default. */
export const engineSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    instructions: {
      type: 'integer',
      minimum: 10_000,
      maximum: 2_147_483_647,
      default: 100_000_000,
      description:
        'Points that one evaluation may use: one for each function entered and each turn of a loop in the compiled ' +
        'policy, more for long ones, 8 for each piece of memory and one for 4 bytes of it, and what calls of builtins ' +
        'take (1e8 take about 0.1 s). Whoever raises it lets one question hold a worker for longer.',
    },
    decidingInstructions: {
      type: 'integer',
      minimum: 10_000,
      maximum: 2_147_483_647,
      default: 2_000_000,
      description:
        'Points of these that an evaluation gets on the thread that answers (2e6: 2 to 5 ms). One that needs more begins ' +
        'anew on a worker, with all of `instructions`; its entrypoint is asked there at once for a minute. Whoever raises ' +
        'it lets one question hold up all others for longer; at `instructions` and above, nothing moves.',
    },
    maxInstructions: {
      type: 'integer',
      minimum: 10_000,
      maximum: 2_147_483_647,
      default: 100_000_000,
      description:
        'The most that METADATA of a rule (`custom.engine.instructions`) may name as its own number of points; a push of ' +
        'a higher one is refused. Whoever raises it lets every author hold a worker for that long.',
    },
    memoryBytes: {
      type: 'integer',
      minimum: mebibyte,
      maximum: 2_147_483_648,
      default: 64 * mebibyte,
      description:
        'Bytes of memory that one evaluation may take beyond the data of its bundle, input included. Each active ' +
        'bundle may hold this much twice, and once more in each worker.',
    },
    resultBytes: {
      type: 'integer',
      minimum: 1_024,
      default: 4 * mebibyte,
      description:
        'Bytes of one result, of what one builtin answers, and of all that non-deterministic builtins answer one ' +
        'evaluation, since its record keeps that. Larger ones fail with too_large.',
    },
    argumentBytes: {
      type: 'integer',
      minimum: 1_024,
      default: mebibyte,
      description: 'Bytes of the arguments of one builtin call together. Larger ones fail with too_large.',
    },
    deadlineMs: {
      type: 'integer',
      minimum: 10,
      default: 1_000,
      description:
        'Milliseconds that an evaluation may wait for a worker, and that it may then take there: the worker is ended and ' +
        'replaced. Without Go builtins it may take ten times that, since `instructions` bounds it.',
    },
    workers: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      default: 1,
      description:
        'Threads that evaluate, at the same time, what reaches builtins in OPA’s Go code or takes more than ' +
        '`decidingInstructions`. Each takes some 20 MiB, and 30 to 256 MiB once it runs Go code.',
    },
    spareWorkers: {
      type: 'integer',
      minimum: 0,
      maximum: 8,
      default: 1,
      description:
        'Threads kept ready, for another bundle and to replace one that missed its deadline. Above 0 the first thread ' +
        'starts two seconds after the first version is there; the others, and at 0 the first too, when one is needed: ' +
        'a start takes some 0.3 s.',
    },
    queuedEvaluations: {
      type: 'integer',
      minimum: 1,
      default: 1_000,
      description:
        'Evaluations that wait for a worker at most; the next one fails at once. Bounds memory under overload.',
    },
    network: {
      type: 'object',
      additionalProperties: false,
      description: 'What policies may reach with http.send and net.lookup_ip_addr.',
      properties: {
        hosts: {
          type: 'array',
          default: [],
          items: { type: 'string', pattern: '^[A-Za-z0-9_.:-]+(/[0-9]{1,3})?$', maxLength: 253 },
          description:
            'Hosts that policies may ask: names (`people.example`), addresses (`127.0.0.1`) and ranges (`10.1.0.0/16`). ' +
            'Empty: policies that need the network are refused. A name whose address is not public (private, loopback, ' +
            'link-local and the like) is refused unless that address is named, too. Whoever may push policies can send ' +
            'what they see to every host named here.',
        },
        responseBytes: {
          type: 'integer',
          minimum: 1_024,
          maximum: 64 * mebibyte,
          default: mebibyte,
          description: 'Bytes of one response’s body. The builtin fails on a larger one.',
        },
        requests: {
          type: 'integer',
          minimum: 1,
          maximum: 1_000,
          default: 10,
          description: 'Requests that one evaluation may send; redirects and further attempts count.',
        },
        cacheBytes: {
          type: 'integer',
          minimum: 0,
          maximum: 1_073_741_824,
          default: 16 * mebibyte,
          description:
            'Bytes of responses that are kept for later evaluations where a policy asks for it (`cache`, `force_cache`): ' +
            'of all bundles together, the longest unused gives way. No bundle is answered with what another one asked. At ' +
            '0 nothing is kept.',
        },
        tlsFiles: {
          type: 'array',
          default: [],
          items: { type: 'string', pattern: '^/', maxLength: 4_096 },
          description:
            'Files in PEM that `tls_ca_cert_file`, `tls_client_cert_file` and `tls_client_key_file` may name, each by its ' +
            'whole path as it stands here; others are refused. They are read at each request. Every policy may use a key ' +
            'that is named here towards `hosts`; none can read it.',
        },
      },
    },
  },
} as const;

const { properties } = engineSchema;
const { properties: network } = properties.network;

export const defaultEngineSettings: EngineSettings = {
  instructions: properties.instructions.default,
  decidingInstructions: properties.decidingInstructions.default,
  maxInstructions: properties.maxInstructions.default,
  memoryBytes: properties.memoryBytes.default,
  resultBytes: properties.resultBytes.default,
  argumentBytes: properties.argumentBytes.default,
  deadlineMs: properties.deadlineMs.default,
  workers: properties.workers.default,
  spareWorkers: properties.spareWorkers.default,
  queuedEvaluations: properties.queuedEvaluations.default,
  network: {
    hosts: network.hosts.default,
    responseBytes: network.responseBytes.default,
    requests: network.requests.default,
    cacheBytes: network.cacheBytes.default,
    tlsFiles: network.tlsFiles.default,
  },
};

export interface WorkerOptions {
  readonly count: number;
  readonly spare: number;
  /** Evaluations that may wait for a worker; default 1,000. */
  readonly queued?: number;
}

/** What `openEngine` takes, out of the configuration. */
export const engineOptions = (
  settings: EngineSettings,
): { readonly budget: Budget; readonly workers: Required<WorkerOptions>; readonly network: NetworkSettings } => ({
  budget: {
    instructions: settings.instructions,
    decidingInstructions: settings.decidingInstructions,
    mostInstructions: Math.max(settings.instructions, settings.maxInstructions),
    memoryBytes: settings.memoryBytes,
    resultBytes: settings.resultBytes,
    argumentBytes: settings.argumentBytes,
    deadlineMs: settings.deadlineMs,
  },
  workers: { count: settings.workers, spare: settings.spareWorkers, queued: settings.queuedEvaluations },
  network: settings.network,
});
