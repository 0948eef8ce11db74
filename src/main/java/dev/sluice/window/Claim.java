package dev.sluice.window;

/**
 * What a decision asks of one window.
 *
 * @param resource names the window, with the identifier and the length
 * @param span the window's length in microseconds
 * @param limit units per window
 * @param cost units asked for
 */
record Claim(String resource, long span, long limit, long cost) {
}
