using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "shop", worker = .shop),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8080", http = (), service = "shop")],
);

const shop :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "build/worker.js")],
  bindings = [
    (name = "REDIS_URL", fromEnvironment = "REDIS_URL"),
    (name = "PREFIX", fromEnvironment = "PREFIX"),
    (name = "DEADLINE_MS", fromEnvironment = "DEADLINE_MS"),
  ],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["nodejs_compat"],
);
