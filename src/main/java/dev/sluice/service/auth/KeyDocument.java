package dev.sluice.service.auth;

/**
 * Document fetched from the location of the keys.
 *
 * @param text content of the document
 * @param cacheControl field {@code Cache-Control} of the response; null if it is missing
 */
record KeyDocument(String text, String cacheControl) {
}
