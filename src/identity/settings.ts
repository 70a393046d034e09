export interface IdentitySettings {
  readonly maxTokenDays: number;
}

export const identitySchema = {
  type: 'object',
  description: 'Who may ask, author, approve and audit.',
  additionalProperties: false,
  properties: {
    maxTokenDays: {
      type: 'integer',
      minimum: 0,
      maximum: 3650,
      default: 0,
      description:
        'Longest life of a new API token, days; a token made without an expiry is refused then. 0: no limit. The ' +
        'operator token of the first start is exempt. Raising it gives a stolen token longer use.',
    },
  },
} as const;
