import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Attributes, Question } from '../scenario.ts';
import type { GrpcRequest } from './grpc-load.ts';
import type { Asked, Told } from './lane.ts';
import { membersOf, message, nested, text } from './protobuf.ts';

const subjectOf = ({ questions }: Asked): Question['subject'] => {
  const [first] = questions;
  if (first === undefined) throw new Error('a request needs a question');
  return first.subject;
};

/** The body of POST /api/check/resources. */
export const httpBody = (asked: Asked): string => {
  const { id, roles, attributes } = subjectOf(asked);
  return JSON.stringify({
    principal: { id, roles, attr: attributes },
    resources: asked.questions.map(({ action, resource }) => ({
      actions: [action],
      resource: { kind: resource.type, id: resource.id, attr: resource.attributes },
    })),
  });
};

export const readHttp = (body: string, { questions }: Asked): Told => {
  const { results } = JSON.parse(body) as { results: readonly { readonly actions: { [action: string]: string } }[] };
  return { permits: results.map(({ actions }, at) => actions[questions[at]?.action ?? ''] === 'EFFECT_ALLOW') };
};

/** A map of names to google.protobuf.Value. */
const attributesField = (to: BinaryWriter, field: number, attributes: Attributes): void => {
  for (const [name, value] of Object.entries(attributes)) {
    message(to, field, (entry) => {
      text(entry, 1, name);
      message(entry, 2, (json) => {
        if (typeof value === 'string') text(json, 3, value);
        else if (typeof value === 'number') json.tag(2, WireType.Bit64).double(value);
        else json.tag(4, WireType.Varint).bool(value);
      });
    });
  }
};

/** cerbos.request.v1.CheckResourcesRequest. */
export const checkResources = (asked: Asked): GrpcRequest => {
  const { id, roles, attributes } = subjectOf(asked);
  const to = new BinaryWriter();
  message(to, 3, (principal) => {
    text(principal, 1, id);
    for (const role of roles) text(principal, 3, role);
    attributesField(principal, 4, attributes);
  });
  for (const { action, resource } of asked.questions) {
    message(to, 4, (entry) => {
      text(entry, 1, action);
      message(entry, 2, (about) => {
        text(about, 1, resource.type);
        text(about, 3, resource.id);
        attributesField(about, 4, resource.attributes);
      });
    });
  }
  return { path: '/cerbos.svc.v1.CerbosService/CheckResources', message: Buffer.from(to.finish()) };
};

const ALLOW = 1;

/** cerbos.response.v1.CheckResourcesResponse: each result has one action, each action one effect. */
export const readCheckResources = (response: Uint8Array): Told => ({
  permits: nested(response, 2).map((result) =>
    nested(result, 2).some((action) => membersOf(action).some(([field, effect]) => field === 2 && effect === ALLOW)),
  ),
});
