import { Agent as PlainAgent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { LRUCache } from 'lru-cache';

/** Idle connections to one server, and how long they wait: less than servers do, which close theirs after 5 s and more. */
const bounds = { keepAlive: true, maxFreeSockets: 4, maxSockets: 64, maxTotalSockets: 256, timeout: 4_000 } as const;
const MOST_AGENTS = 64;

type Agent = PlainAgent | TlsAgent;

/** Connections that requests of one bundle may use again. */
export interface BundleConnections {
  /** `identity` tells apart whom the server has to be and who we are to it; absent without TLS. */
  agent(identity?: string): Agent;
}

const closeIdle = (agent: Agent): void => {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
};

/**
 * Connections that stay open for the next request: of one bundle, and over TLS with the same certificates, authorities and
 * name, since a server may know who asks by the connection.
 */
export class Connections {
  // What is under way on one that is put away goes on; its connections end once they stood idle.
  private readonly agents = new LRUCache<string, Agent>({ max: MOST_AGENTS, dispose: closeIdle });

  of(bundle: string): BundleConnections {
    return {
      agent: (identity) => {
        const key = JSON.stringify([bundle, identity ?? '']);
        const known = this.agents.get(key);
        if (known !== undefined) return known;
        const made = identity === undefined ? new PlainAgent(bounds) : new TlsAgent(bounds);
        this.agents.set(key, made);
        return made;
      },
    };
  }

  forget(bundle: string): void {
    for (const key of [...this.agents.keys()])
      if ((JSON.parse(key) as readonly string[])[0] === bundle) this.agents.delete(key);
  }
}
