import { index, type RouteConfig, route } from '@react-router/dev/routes';

export default [
  index('routes/shop.ts', { id: 'home' }),
  route('*', 'routes/shop.ts'),
] satisfies RouteConfig;
