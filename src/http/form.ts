import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { HTTPException } from 'hono/http-exception';

export type FormEnv = { Variables: { form: URLSearchParams } };

const MAX_BODY_BYTES = 8 * 1024;
const FORM = /^application\/x-www-form-urlencoded\s*(;\s*charset="?utf-8"?\s*)?$/i;

const limit = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new HTTPException(413, { message: `The body is larger than ${MAX_BODY_BYTES} bytes` });
  },
});

/** Refuses a body that is larger than any form here (413), and one that does not arrive completely (400). */
export const limitForm = createMiddleware(async function limitForm(c, next) {
  // Errors of later handlers do not pass through here, because Hono has handled them.
  return limit(c, next).catch((error: unknown) => {
    throw error instanceof HTTPException ? error : endedEarly(error);
  });
});

/**
 * Reads the body as a form into `c.var.form`. 415 for another content type; 400 if the body is not UTF-8 or does not
 * arrive completely.
 */
export const readForm = createMiddleware<FormEnv>(async function readForm(c, next) {
  const type = c.req.header('Content-Type');
  if (type !== undefined && !FORM.test(type)) throw foreignType();
  const body = await c.req.arrayBuffer().catch((error: unknown) => {
    throw endedEarly(error);
  });
  if (type === undefined && body.byteLength > 0) throw foreignType();
  const form = parseForm(body);
  if (form === undefined) throw new HTTPException(400, { message: 'The form is not valid UTF-8' });
  c.set('form', form);
  await next();
});

/** The fields of a form, or `undefined` if its bytes, percent-encoded ones included, are not UTF-8. Never throws. */
export function parseForm(body: ArrayBuffer): URLSearchParams | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    decodeURIComponent(text); // URLSearchParams would silently replace malformed bytes
    return new URLSearchParams(text);
  } catch {
    return undefined; // both decoders throw only for malformed bytes
  }
}

/** The client disconnected or sent a malformed body. There is no other reason why reading fails. */
function endedEarly(cause: unknown): HTTPException {
  return new HTTPException(400, { message: 'The body of the request ended early', cause });
}

function foreignType(): HTTPException {
  return new HTTPException(415, { message: 'Send application/x-www-form-urlencoded' });
}
