#!/usr/bin/env node
import { serve } from './cli/serve.ts';
import { type Config, ConfigError, help, parseConfig } from './config.ts';

const EXIT_USAGE = 2;

const config = readConfig();
if (config === 'help') console.log(help);
else await serve(config);

function readConfig(): Config | 'help' {
  try {
    return parseConfig(process.argv.slice(2), process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`sojourn: ${error.message}`);
    process.exit(EXIT_USAGE);
  }
}
