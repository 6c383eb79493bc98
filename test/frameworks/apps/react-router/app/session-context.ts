import { createContext } from 'react-router';
import type { RequestSession } from 'sojourn/fetch';
import type { fields } from '../../sessions.ts';

export const sessionContext = createContext<RequestSession<typeof fields>>();
