export type { Config } from './config.ts';
export { DEFAULT_FILE, loadConfig, sourcesOf } from './load.ts';
export type { ConfigErrorCode, ConfigProblem, ConfigSource, SettingSchema } from './model.ts';
export { ConfigError } from './model.ts';
export { configPage } from './page.ts';
export { renderConfig } from './render.ts';
export { configSchema } from './schema.ts';
