package dev.sluice.store;

/**
 * Selects the windows that a reset deletes.
 *
 * @param identifier empty for all identifiers
 * @param resource null for all resources of the identifier
 */
public record ResetScope(String identifier, String resource) {

    public static final ResetScope ALL = new ResetScope("", null);
}
