package dev.sluice.service.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.config.ConfigProblems;

/** Settings of the alerts, thresholds, and the times of retries. */
class AlertSettingsTest {

    private final ConfigProblems problems = new ConfigProblems();

    private AlertSettings read(String url, String secret, String thresholds, boolean insecure) {
        return AlertSettings.read(new AlertsConfig() {

            @Override
            public Optional<String> url() {
                return Optional.ofNullable(url);
            }

            @Override
            public Optional<String> secret() {
                return Optional.ofNullable(secret);
            }

            @Override
            public List<String> thresholds() {
                return List.of(thresholds.split(","));
            }

            @Override
            public boolean insecure() {
                return insecure;
            }
        }, problems);
    }

    @Test
    void validSettingsAreRead() throws Exception {
        var settings = read("HTTPS://hooks.example/a?b=c", AlertInstance.SECRET, "100, 50", false);
        assertThat(problems.lines()).isEmpty();
        assertThat(settings.target().url()).hasToString("https://hooks.example/a?b=c");
        assertThat(settings.target().thresholds()).containsExactly(50, 100);
        var plain = read("http://hooks.example", AlertInstance.SECRET.substring("whsec_".length()), "1", true);
        assertThat(problems.lines()).isEmpty();
        assertThat(plain.signer().sign("id", 1, "body")).isEqualTo(settings.signer().sign("id", 1, "body"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://hooks.example", "ftp://hooks.example", "https://user:pw-0@hooks.example", "https://h/#a",
            "https:///a",
            "hooks.example", "https://h:99999/", "https://h:0/", "https://h/ a"})
    void invalidUrlIsReportedWithoutItsText(String url) {
        assertThat(read(url, AlertInstance.SECRET, "50", false).target().url()).isNull();
        assertThat(problems.lines()).singleElement().asString().startsWith("rate-limit.alerts.url=(not shown): an https URL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"short", "whsec_c2hvcnQ=", "this text is long enough but not base64", "whsec_"})
    void invalidSecretIsReportedWithoutItsText(String secret) {
        assertThat(read("https://hooks.example", secret, "50", false).signer()).isNull();
        assertThat(problems.lines()).singleElement().asString()
                .startsWith("rate-limit.alerts.secret=(not shown): base64 of 24 to 64 bytes");
    }

    @Test
    void missingSecretIsReported() {
        read("https://hooks.example", null, "50", false);
        assertThat(problems.lines()).singleElement().asString().startsWith("rate-limit.alerts.secret=: missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "101", "150", "50,101", "-1", "50,50", "half",
            "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21"})
    void invalidThresholdsAreReported(String thresholds) {
        read(null, null, thresholds, false);
        assertThat(problems.lines()).singleElement().asString()
                .startsWith("rate-limit.alerts.thresholds=" + thresholds + ": 1 to 20 different whole numbers from 1 to 100");
    }

    @ParameterizedTest
    @CsvSource({"50,9,5", "33,10,4", "1,1,1", "100,9000000000000000,9000000000000000"})
    void thresholdIsRoundedUp(int threshold, long limit, long expected) {
        assertThat(AlertTarget.amount(threshold, limit)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"0,5000", "1,30000", "2,120000", "3,600000", "4,1800000", "5,3600000", "40,3600000"})
    void delaysGrowToAnHour(int failures, long expected) {
        assertThat(RetrySchedule.delayMillis(failures, null, Instant.EPOCH, 0)).isEqualTo(expected);
        assertThat(RetrySchedule.delayMillis(failures, null, Instant.EPOCH, 1)).isEqualTo(expected * 6 / 5);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"60;60000", "1;5000", "7200;3600000", "99999999999999999999;3600000", "-5;5000",
            "soon;5000",
            "Thu, 01 Jan 1970 00:01:00 GMT;60000", "Thu, 01 Jan 1970 09:00:00 GMT;3600000"})
    void retryAfterIsRespectedUpToAnHour(String field, long expected) {
        assertThat(RetrySchedule.delayMillis(0, field, Instant.EPOCH, 0)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://169.254.169.254/latest", "https://127.0.0.1/", "https://10.1.2.3/", "https://172.31.0.1/",
            "https://192.168.1.1:8443/", "https://100.100.100.200/", "https://0.0.0.0/", "https://224.0.0.1/",
            "https://255.255.255.255/", "https://168.63.129.16/", "https://[::1]/", "https://[::]/", "https://[fe80::1]/",
            "https://[fd00:ec2::254]/", "https://[ff02::1]/", "https://[::ffff:169.254.169.254]/", "https://[::127.0.0.1]/",
            "https://[2002:7f00:1::]/", "https://[64:ff9b::a9fe:a9fe]/", "https://localhost/", "https://a.LocalHost/"})
    void internalAddressesAreForTheSettingsOnly(String url) {
        assertThat(new AlertUrls(false).problem(url)).startsWith("must not have a private");
        assertThat(new AlertUrls(true).problem(url)).isNull();
        assertThat(read(url, AlertInstance.SECRET, "50", false).target().url()).isNotNull();
        assertThat(problems.lines()).isEmpty();
    }

    /** Spellings of addresses that some clients understand are no host names. */
    @ParameterizedTest
    @ValueSource(strings = {"https://2130706433/", "https://127.1/", "https://0x7f.0.0.1/", "https://127.0.0.1./",
            "https://a:0/",
            "http://hooks.example/"})
    void otherSpellingsOfAddressesAreNoUrls(String url) {
        assertThat(new AlertUrls(false).problem(url)).startsWith("must be an https URL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://hooks.example/", "https://8.8.8.8/", "https://[2606:4700::1111]/",
            "https://[64:ff9b::808:808]/", "https://172.32.0.1/"})
    void publicAddressesAreAllowed(String url) {
        assertThat(new AlertUrls(false).problem(url)).isNull();
    }
}
