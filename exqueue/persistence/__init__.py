"""The stores: one interface (`exqueue.persistence.base`), one package or module for each backend."""
