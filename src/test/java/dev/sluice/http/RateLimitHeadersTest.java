package dev.sluice.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.config.ConfigProblems;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;

/** Tests the headers that report a decision, by {@code rate-limit.headers}. */
class RateLimitHeadersTest {

    private static final Instant NOW = Instant.ofEpochSecond(1_700_000_000, 500_000_000);

    private static Decision decision(boolean allowed, boolean denied, DecisionMode mode) {
        return new Decision(allowed, denied, mode, NOW, List.of(new QuotaStatus("user:a", "api:/a", QuotaUnit.REQUESTS, 10,
                Duration.ofSeconds(60), allowed ? 4 : 0, Optional.of(NOW.plusMillis(20_200)), denied,
                denied ? Optional.of(NOW.plusSeconds(7)) : Optional.empty())));
    }

    private static String names(MultiMap headers) {
        return headers.names().stream().map(Object::toString).sorted(String.CASE_INSENSITIVE_ORDER)
                .collect(Collectors.joining(" "));
    }

    private static MultiMap written(String setting, Decision decision) {
        var headers = HttpHeaders.headers();
        new RateLimitHeaders(() -> setting).write(headers, decision);
        return headers;
    }

    @ParameterizedTest
    @CsvSource({"all,RateLimit RateLimit-Policy X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset",
            "standard,RateLimit RateLimit-Policy", "legacy,X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset",
            "none,''",
            " Standard ,RateLimit RateLimit-Policy"})
    void settingSelectsTheHeaders(String setting, String names) {
        assertThat(names(written(setting, decision(true, false, DecisionMode.REDIS)))).isEqualTo(names);
    }

    @Test
    void windowsOfOneLengthHaveDifferentNames() {
        var quota = new QuotaStatus("user:a", "api:/a", QuotaUnit.REQUESTS, 10, Duration.ofDays(1), 4, Optional.of(NOW), false,
                Optional.empty());
        var decision = new Decision(true, false, DecisionMode.REDIS, NOW, List.of(quota, quota));
        assertThat(written("all", decision).get("RateLimit-Policy"))
                .isEqualTo("\"api:/a/86400\";q=10;w=86400, \"api:/a/86400/2\";q=10;w=86400");
    }

    @ParameterizedTest
    @CsvSource({"all", "standard", "legacy", "none"})
    void retryModeAndDryRunAreReportedWithEverySetting(String setting) {
        assertThat(written(setting, decision(false, true, DecisionMode.REDIS)).get("Retry-After")).isEqualTo("7");
        assertThat(written(setting, decision(true, true, DecisionMode.REDIS)).get("X-RateLimit-Dry-Run")).isEqualTo("denied");
        assertThat(written(setting, decision(true, false, DecisionMode.LOCAL)).get("X-RateLimit-Mode")).isEqualTo("local");
        assertThat(written(setting, decision(true, false, DecisionMode.OFF))).isEmpty();
    }

    @Test
    void valuesAreThoseOfTheDecision() {
        var headers = written("all", decision(true, false, DecisionMode.REDIS));
        assertThat(headers.get("X-RateLimit-Limit")).isEqualTo("10");
        assertThat(headers.get("X-RateLimit-Remaining")).isEqualTo("4");
        assertThat(headers.get("X-RateLimit-Reset")).isEqualTo("1700000021");
        assertThat(headers.get("RateLimit-Policy")).isEqualTo("\"api:/a\";q=10;w=60");
        assertThat(headers.get("RateLimit")).isEqualTo("\"api:/a\";r=4;t=21");
    }

    @ParameterizedTest
    @CsvSource({"all,''", "standard,X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset",
            "legacy,RateLimit RateLimit-Policy",
            "none,RateLimit RateLimit-Policy X-RateLimit-Dry-Run X-RateLimit-Limit X-RateLimit-Mode X-RateLimit-Remaining"
                    + " X-RateLimit-Reset"})
    void writtenHeadersReplaceThoseOfTheUpstream(String setting, String kept) {
        var upstream = HttpHeaders.headers();
        for (var name : List.of("RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining",
                "X-RateLimit-Reset", "X-RateLimit-Mode", "X-RateLimit-Dry-Run")) {
            upstream.set(name, "upstream");
        }
        RateLimitHeaders.removeOverridden(upstream, written(setting, decision(true, false, DecisionMode.REDIS)));
        assertThat(names(upstream)).isEqualTo(kept);
    }

    @Test
    void writtenModeReplacesThatOfTheUpstream() {
        var upstream = HttpHeaders.headers().set("X-RateLimit-Mode", "open").set("X-RateLimit-Dry-Run", "denied");
        RateLimitHeaders.removeOverridden(upstream, written("none", decision(true, true, DecisionMode.LOCAL)));
        assertThat(upstream).isEmpty();
    }

    @Test
    void invalidSettingIsReported() {
        var problems = new ConfigProblems();
        new RateLimitHeaders(() -> "modern").validate(problems);
        assertThat(problems.lines()).containsExactly("rate-limit.headers=modern: all, standard, legacy or none");
        var none = new ConfigProblems();
        new RateLimitHeaders(() -> "LEGACY").validate(none);
        assertThat(none.lines()).isEmpty();
    }

    private static QuotaStatus level(String identifier, String resource, long remaining, Instant retryAt) {
        return new QuotaStatus(identifier, resource, QuotaUnit.REQUESTS, 1000, Duration.ofHours(1), remaining,
                Optional.of(NOW.plusSeconds(60)), retryAt != null, Optional.ofNullable(retryAt));
    }

    /** Names of 128 characters at each of six levels, with several windows each. */
    @Test
    void longFieldsHaveTheMostRelevantMembers() {
        var quotas = new ArrayList<QuotaStatus>();
        for (var identifier : List.of("key:k", "user:" + "u".repeat(128),
                "team:" + "t".repeat(100) + "/user:" + "u".repeat(128),
                "team:" + "é".repeat(128), "org:" + "o".repeat(100) + "/user:" + "u".repeat(128), "org:" + "o".repeat(128))) {
            for (var resource : List.of("api", "endpoint:/" + "r".repeat(100))) {
                quotas.add(level(identifier, resource, quotas.size() == 11 ? 0 : 900 - quotas.size(),
                        quotas.size() == 11 ? NOW.plusSeconds(5) : null));
            }
        }
        var headers = written("all", new Decision(false, true, DecisionMode.REDIS, NOW, quotas));
        for (var field : List.of("RateLimit", "RateLimit-Policy")) {
            assertThat(headers.get(field)).hasSizeLessThanOrEqualTo(StandardMembers.MAX_LENGTH).contains("\"org:ooo",
                    "endpoint:/rrr");
        }
        assertThat(headers.get("RateLimit").split(", ")).hasSizeBetween(4, 11)
                .hasSameSizeAs(headers.get("RateLimit-Policy").split(", "));
    }

    /** The longest names of team, member and endpoint: the exceeded rate is reported all the same. */
    @Test
    void longNamesAreShortenedAndStayDifferent() {
        var member = "team:" + "日".repeat(128) + "/user:" + "語".repeat(128);
        var quotas = List.of(level("user:" + "語".repeat(128), "api:/" + "é".repeat(250), 1, null),
                level(member, "endpoint:/a", 0, NOW.plusSeconds(5)), level(member, "endpoint:/b", 5, null));
        var decision = new Decision(false, true, DecisionMode.REDIS, NOW, quotas);
        var names = PolicyNames.of(quotas);
        assertThat(names).doesNotHaveDuplicates().allSatisfy(name -> assertThat(name).matches("(api|team):.*~[0-9a-f]{8}"));
        var headers = written("all", decision);
        for (var field : List.of("RateLimit", "RateLimit-Policy")) {
            assertThat(headers.get(field)).hasSizeLessThanOrEqualTo(StandardMembers.MAX_LENGTH);
            assertThat(headers.get(field).split(", ")).hasSize(2).anySatisfy(
                    denied -> assertThat(denied).startsWith("\"team:%E6%97%A5")
                            .contains(names.get(1).substring(names.get(1).indexOf('~'))));
        }
        var shortName = "team:" + "t".repeat(128) + "/user:" + "u".repeat(128);
        assertThat(PolicyNames.of(List.of(quotas.get(0), level(shortName, "api", 1, null))).get(1))
                .isEqualTo(shortName + "/api");
        var one = new Decision(true, false, DecisionMode.REDIS, NOW, List.of(quotas.get(0)));
        assertThat(written("standard", one).get("RateLimit-Policy")).matches("\"api:/(%C3%A9)+~[0-9a-f]{8}\";q=1000;w=3600");
    }

    @Test
    void headersAndBodyDescribeTheWindowWithTheLongestWait() {
        var quotas = List.of(level("user:a", "api:/a", 3, null),
                new QuotaStatus("team:t", "api", QuotaUnit.REQUESTS, 50, Duration.ofMinutes(1), 0,
                        Optional.of(NOW.plusSeconds(60)),
                        true, Optional.of(NOW.plusSeconds(7))),
                new QuotaStatus("org:o", "api", QuotaUnit.REQUESTS, 20, Duration.ofHours(1), 0,
                        Optional.of(NOW.plusSeconds(3600)), true,
                        Optional.of(NOW.plusSeconds(70))));
        var decision = new Decision(false, true, DecisionMode.REDIS, NOW, quotas);
        var headers = written("all", decision);
        var details = ErrorResponse.rateLimitExceeded(decision).details();
        assertThat(headers.get("X-RateLimit-Limit")).isEqualTo("20").isEqualTo(details.getInteger("limit").toString());
        assertThat(headers.get("X-RateLimit-Reset")).isEqualTo(details.getLong("reset_at").toString());
        assertThat(headers.get("Retry-After")).isEqualTo("70").isEqualTo(details.getLong("retry_after").toString());
        assertThat(details.getString("identifier")).isEqualTo("org:o");
    }
}
