import 'reflect-metadata';
import { promisify } from 'node:util';
import { Body, Controller, Get, HttpCode, Module, Post, Req, Res, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Request, Response } from 'express';
import type { Session, SessionData } from 'express-session';
import { secret, service, store } from '../session-store.ts';
import { CurrentSession, LoggedIn, SojournModule } from './sojourn.module.ts';

type Kept = Session & Partial<SessionData>;
type Form = { readonly value: string };

// express-session begins to answer before it has saved: who must see the change next, saves first.
const save = (session: Kept) => promisify(session.save).call(session);

@Controller()
class Door {
  @Get()
  home(@CurrentSession() { user, theme, cart, visits }: Kept) {
    return { user: user ?? null, theme, cart, visits };
  }

  @Post('login')
  async login(@Req() req: Request, @Res() res: Response, @Body() { value }: Form) {
    await promisify(req.session.regenerate).call(req.session); // a new id at every login
    Object.assign(req.session, { user: value, theme: 'light' }); // here the password would be checked
    await save(req.session);
    res.redirect(303, '/');
  }

  @Post('logout')
  @HttpCode(200)
  async logout(@CurrentSession() session: Kept, @Res() res: Response) {
    const ended = session.user !== undefined;
    await promisify(session.destroy).call(session);
    res.clearCookie('connect.sid').json({ ended });
  }
}

@Controller()
@UseGuards(LoggedIn)
class Shop {
  @Post('theme')
  @HttpCode(200)
  async theme(@CurrentSession() session: Kept, @Body() { value }: Form) {
    session.theme = value; // each key is a field of its own
    await save(session);
    return {};
  }

  @Post('cart')
  @HttpCode(200)
  async cart(@CurrentSession() session: Kept, @Body() { value }: Form) {
    session.cart = value;
    await save(session);
    return {};
  }

  @Post('visit')
  @HttpCode(200)
  async visit(@CurrentSession() session: Kept) {
    session.visits = (session.visits ?? 0) + 1; // of two requests at once, one counts
    await save(session);
    return { visits: session.visits };
  }

  @Post('flash')
  @HttpCode(200)
  async leave(@CurrentSession() session: Kept, @Body() { value }: Form) {
    session.notice = value;
    await save(session);
    return {};
  }

  @Get('flash')
  async take(@CurrentSession() session: Kept) {
    const { notice = null } = session;
    delete session.notice;
    await save(session);
    return { notice };
  }

  @Post('rotate')
  @HttpCode(200)
  async rotate(@Req() req: Request) {
    const { cookie: _itsOwn, ...data } = req.session;
    await promisify(req.session.regenerate).call(req.session);
    Object.assign(req.session, data);
    await save(req.session);
    return { rotated: true };
  }

  @Get('devices')
  async devices(@CurrentSession() { id: sid, user = '' }: Kept) {
    return (await service.list(user)).map(({ id }) => ({ id, here: id === store.idOf(sid) }));
  }

  @Post('devices/end')
  @HttpCode(200)
  async end(@CurrentSession() { user = '' }: Kept, @Body() { value }: Form) {
    const other = (await service.list(user)).find(({ id }) => id === value);
    return { ended: other !== undefined && (await service.end(other.id)) };
  }
}

@Module({
  imports: [SojournModule.forRoot({ store, secret, cookie: { sameSite: 'lax' } })], // and secure: true on HTTPS
  controllers: [Door, Shop],
})
class App {}

const app = await NestFactory.create(App, { logger: ['error'] });
await app.listen(Number(process.env.PORT), '127.0.0.1');
