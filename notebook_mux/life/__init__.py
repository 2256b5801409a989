"""The life of the processes beside the kernel: the gateway and the playground.

How they are found, started once however many ask, believed, logged and ended. Nothing here knows what they serve.

- `folders`, `files`, `locks`, `process`: what the system gives, checked.
- `name`: which service is meant; `runtime`: its runtime file and its tenure; `proof`: why a file is believed.
- `launcher`: the client's side, find or start (with `spawn`, `environment`, `ask`), and what came up on the way
  (`strangers` on an old port, `neighbours` on one account); `services`: all there are, for ``status`` and ``stop``.
- `idle`: when a service ends by itself; `logs`, `redact`: what it may write; `user`: the user id.
- `lab`: JupyterLab for ``notebook-mux demo``.

A service lives like this, on its main thread::

    if launched:
        logs.begin(name)                        # from here on all output goes to its log
    process.raise_open_files()
    with Tenure(name, register=launched or register) as tenure:     # raises AlreadyRunning: print its lines, exit 1
        asyncio.run(serve(tenure))

    async def serve(tenure):
        port = ...                              # listen on 127.0.0.1; GET /prove?nonce= -> tenure.answer(nonce), or
                                                # 400 for BadNonce; GET /status with Authorization: Bearer <token>
        end = IdleEnd(tenure, busy=..., close_door=..., open_door=...)      # end.touch() for each /prove
        with end.signals():
            tenure.publish(port)                # now clients find it
            await end.wait()                    # idle, or a signal
        ...                                     # close clients and upstreams
"""
