package dev.sluice.window;

/**
 * Selects the windows that a reset deletes.
 *
 * @param identifier empty for all identifiers
 * @param resource null for all resources of the identifier
 */
record ResetScope(String identifier, String resource) {

    static final ResetScope ALL = new ResetScope("", null);
}
