"""The node beside the web application: it runs what that enqueues, until it is told to end."""

import logging

from letters import SendLetter

from exqueue import ExqueueSystem, StartWorker

logging.basicConfig(format="node: %(levelname)s %(message)s")
system = ExqueueSystem.start(namespace="web_app")
system.ask(StartWorker(SendLetter))
print("node: ready", flush=True)
system.run()
