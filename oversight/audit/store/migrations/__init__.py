"""The store's tables, revision by revision. What was released is never changed; what comes next is a new module."""
