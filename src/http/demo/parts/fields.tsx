import type { PageView, RefusedView } from '../views.ts';

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly name: 'ttl' | 'username';
  readonly value: string | undefined;
  readonly refused: RefusedView | undefined;
  readonly hint?: string;
  readonly [attribute: string]: unknown;
}

/** A field with its label, its hint, and why its value was refused. */
export function Field({ id, label, hint, refused, ...input }: FieldProps) {
  const error = refused?.field === input.name ? refused.message : undefined;
  const about = [error !== undefined && `${id}-error`, hint !== undefined && `${id}-hint`];
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        {...input}
        aria-invalid={error === undefined ? undefined : 'true'}
        aria-describedby={about.filter(Boolean).join(' ') || undefined}
      />
      <div data-part={`${id}-error`}>
        {error !== undefined && (
          <p class="error" id={`${id}-error`}>
            {error}
          </p>
        )}
      </div>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface TtlProps extends Pick<PageView, 'refused'> {
  readonly id: string;
  readonly value: number;
  readonly hint?: string;
}

/** The server alone says what is a ttl: its refusal stands beside the field, and stays. */
export function TtlField({ id, value, refused, ...hint }: TtlProps) {
  return (
    <Field
      id={id}
      label="Idle timeout in seconds"
      name="ttl"
      value={String(value)}
      refused={refused}
      inputmode="numeric"
      autocomplete="off"
      {...hint}
    />
  );
}
