import {
  type CanActivate,
  createParamDecorator,
  type DynamicModule,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  UnauthorizedException,
} from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import session, { type SessionOptions } from 'express-session';
import { type CrossSiteOptions, crossSiteCheck } from 'sojourn/fetch';

export interface SojournModuleOptions extends SessionOptions, CrossSiteOptions {}

const OPTIONS = Symbol('SojournModuleOptions');

/** Gives every request of a Nest application on Express its session, and refuses what other sites caused. */
@Module({})
export class SojournModule implements NestModule {
  static forRoot(options: SojournModuleOptions): DynamicModule {
    return { module: SojournModule, providers: [{ provide: OPTIONS, useValue: options }] };
  }

  readonly #options: SojournModuleOptions;

  constructor(@Inject(OPTIONS) options: SojournModuleOptions) {
    this.#options = options;
  }

  configure(consumer: MiddlewareConsumer): void {
    const { trustedOrigins = [], trustProxy = false, ...rest } = this.#options;
    const refusal = crossSiteCheck({ trustedOrigins, trustProxy });
    const sameSiteOnly = (req: Request, _res: Response, next: NextFunction) => {
      const url = `${req.protocol}://${req.host}${req.originalUrl}`;
      const why = refusal({ method: req.method, url, header: (name) => req.get(name) });
      next(why === undefined ? undefined : new ForbiddenException(why));
    };
    const sessions = session({ resave: false, saveUninitialized: false, ...rest });
    consumer.apply(sameSiteOnly, sessions).forRoutes('{*path}');
  }
}

/** The session of the request, for a handler's parameter. */
export const CurrentSession = createParamDecorator(
  (_data: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<Request>().session,
);

/** Answers 401 to requests without a session of a user. */
@Injectable()
export class LoggedIn implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { user } = context.switchToHttp().getRequest<Request>().session;
    if (user === undefined) throw new UnauthorizedException();
    return true;
  }
}
