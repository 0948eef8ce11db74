package dev.sluice.service.alerts;

import java.net.URI;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

import org.jspecify.annotations.Nullable;

import com.standardwebhooks.Webhook;

import dev.sluice.config.ConfigProblems;

/**
 * Valid settings of the alerts.
 *
 * @param target URL and thresholds of subjects that have none of their own
 * @param signer signs alerts; null if no secret is set, and no alerts are sent
 * @param urls URLs to which alerts may be sent
 */
record AlertSettings(AlertTarget target, @Nullable Webhook signer, AlertUrls urls) {

    static final String URL = "rate-limit.alerts.url";
    static final String SECRET = "rate-limit.alerts.secret";
    static final String THRESHOLDS = "rate-limit.alerts.thresholds";

    private static final int MIN_SECRET = 24;
    private static final int MAX_SECRET = 64;
    private static final String SECRET_PREFIX = "whsec_";
    private static final String HIDDEN = "(not shown)";

    /**
     * Reads the settings.
     *
     * @param problems receives a line for each that is invalid, which is then treated as missing
     */
    static AlertSettings read(AlertsConfig config, ConfigProblems problems) {
        var urls = new AlertUrls(config.insecure());
        URI url = null;
        if (config.url().isPresent()) {
            url = urls.parse(config.url().get().strip());
            if (url == null) {
                problems.add(URL, HIDDEN, urls.allowed());
            }
        }
        Webhook signer = null;
        if (config.secret().isPresent()) {
            signer = parseSecret(config.secret().get().strip());
            if (signer == null) {
                problems.add(SECRET, HIDDEN, "base64 of " + MIN_SECRET + " to " + MAX_SECRET
                        + " bytes, with or without the prefix " + SECRET_PREFIX
                        + ", such as the output of openssl rand -base64 32");
            }
        } else if (config.url().isPresent()) {
            problems.add(SECRET, "", "missing; alerts to " + URL + " are signed with it");
        }
        var thresholds = parseThresholds(config.thresholds());
        if (thresholds == null) {
            problems.add(THRESHOLDS, String.join(",", config.thresholds()), "1 to " + AlertTarget.MAX_THRESHOLDS
                    + " different whole numbers from 1 to " + AlertTarget.MAX_PERCENT + ", separated by commas");
            thresholds = List.of();
        }
        return new AlertSettings(new AlertTarget(url, thresholds), signer, urls);
    }

    /** Receivers decode the secret as base64 too, so a secret that is not base64 would have two readings. */
    private static @Nullable Webhook parseSecret(String text) {
        try {
            var encoded = text.startsWith(SECRET_PREFIX) ? text.substring(SECRET_PREFIX.length()) : text;
            int length = Base64.getDecoder().decode(encoded).length;
            return length >= MIN_SECRET && length <= MAX_SECRET ? new Webhook(encoded) : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static @Nullable List<Integer> parseThresholds(List<String> texts) {
        var thresholds = new ArrayList<Integer>();
        for (var text : texts) {
            try {
                thresholds.add(Integer.valueOf(text.strip()));
            } catch (NumberFormatException e) {
                return null;
            }
        }
        return AlertTarget.areValid(thresholds) ? thresholds : null;
    }
}
