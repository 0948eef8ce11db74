package dev.sluice.directory.cache;

/**
 * Position in the sequence of changes at which a script has read the directory.
 *
 * @param entryId id of the last entry of the stream of changes
 * @param revision number of the last change
 * @param serverMicros time by Redis's clock, in microseconds since 1970
 * @param sentAt time at which the call was sent, by the clock of {@link IdentityCache}, in nanoseconds
 */
record Position(String entryId, long revision, long serverMicros, long sentAt) {
}
