"""Which mail addresses are a role's and not a person's: several people read them, so they are never one person.

Owns the names alone. Not here: what follows from it (app/store/joins.py, handlers/identity.py).
"""

# fmt: off
ROLES = frozenset(
    {
        "abuse", "accounting", "accounts", "admin", "administracion", "administrator", "atencion",
        "ayuda", "billing", "careers", "clientes", "comercial", "compras", "contact", "contacto",
        "customercare", "customerservice", "customersuccess", "cs", "dpo", "enquiries",
        "facturacion", "feedback", "finance", "hello", "help", "helpdesk", "hola", "hostmaster",
        "hr", "info", "inquiries", "invoices", "it", "jobs", "legal", "mail", "marketing",
        "no-reply", "noreply", "donotreply", "office", "operations", "ops", "orders", "partners",
        "payments", "pedidos", "postmaster", "press", "privacy", "purchasing", "reception",
        "recepcion", "rrhh", "sales", "security", "service", "services", "soporte", "staff",
        "subscriptions", "success", "support", "tech", "team", "ventas", "webmaster",
    }
)
# fmt: on


def is_role_mailbox(address: str) -> bool:
    """Return whether a mail address is a shared one, such as support@ or info+mx@."""
    local, at, _domain = address.strip().lower().rpartition("@")
    return bool(at) and local.partition("+")[0].replace(".", "") in ROLES
