package dev.sluice.llm.pricing.load;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;

import dev.sluice.fetch.DocumentFetcher;

/**
 * Location of a price list: a file or an https URL.
 *
 * @param file path of the file; null for a URL
 * @param url the URL; null for a file
 */
record PriceListLocation(Path file, URI url) {

    /** Description of the allowed locations, for error messages. */
    static final String ALLOWED = "the path of a file, or an https URL";

    private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://.*", Pattern.DOTALL);

    /** @throws IllegalArgumentException if the text is not {@value #ALLOWED} */
    static PriceListLocation parse(String text) {
        try {
            if (!SCHEME.matcher(text).matches()) {
                return new PriceListLocation(Path.of(text), null);
            }
            int scheme = text.indexOf(':');
            var url = new URI(text.substring(0, scheme).toLowerCase(Locale.ROOT) + text.substring(scheme));
            if ("https".equalsIgnoreCase(url.getScheme()) && url.getHost() != null && url.getPort() <= 65_535) {
                return new PriceListLocation(null, url);
            }
        } catch (URISyntaxException | InvalidPathException e) {
            // reported below; the text may contain credentials
        }
        throw new IllegalArgumentException("must be " + ALLOWED);
    }

    /** Returns the path, or the URL without user and query. */
    String describe() {
        return file == null ? DocumentFetcher.describe(url) : file.toString();
    }
}
