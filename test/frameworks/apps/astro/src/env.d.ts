declare namespace App {
  interface Locals {
    session: import('sojourn/fetch').RequestSession<typeof import('../../sessions.ts').fields>;
  }
}
