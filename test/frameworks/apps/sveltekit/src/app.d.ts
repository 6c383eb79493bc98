import type { RequestSession } from 'sojourn/fetch';
import type { fields } from '../../sessions.ts';

declare global {
  namespace App {
    interface Locals {
      session: RequestSession<typeof fields>;
    }
  }
}
