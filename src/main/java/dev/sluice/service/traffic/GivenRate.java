package dev.sluice.service.traffic;

/**
 * Names a rate that came with requests, and is in no rule.
 *
 * @param identifier owner of the windows
 * @param resource name of the resource
 */
record GivenRate(String identifier, String resource) {

    /** Returns the name in Redis. The length makes it unambiguous. */
    String field() {
        return identifier.length() + ":" + identifier + ':' + resource;
    }
}
