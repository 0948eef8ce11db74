package dev.sluice.service.alerts;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import io.netty.handler.ipfilter.IpFilterRuleType;
import io.netty.handler.ipfilter.IpSubnetFilterRule;
import io.netty.util.NetUtil;

/**
 * URLs to which alerts may be sent. Those of the API must not lead into the network of the operator, such as to the metadata service
 * of a cloud; that of the settings may. Immutable.
 */
public final class AlertUrls {

    private static final int MAX_URL = 2048;
    private static final int MAX_PORT = 65_535;
    private static final String NAT64 = "64:ff9b::/96";
    private static final int NAT64_OFFSET = 12;
    private static final String SIX_TO_FOUR = "2002::/16";
    private static final int SIX_TO_FOUR_OFFSET = 2;
    private static final int IPV4_LENGTH = 4;
    /**
     * Blocks that are not reachable in the internet (IANA special-purpose address registries), multicast, and the address of Azure's
     * platform services. {@code fe80::/9} is link-local and site-local, {@code ::/96} unspecified, loopback and IPv4-compatible.
     */
    private static final List<String> INTERNAL = List.of("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
            "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "224.0.0.0/3", "::/96", "64:ff9b:1::/48", "2001::/32", "fc00::/7", "fe80::/9", "ff00::/8");

    private static final Pattern NUMBER_AT_END = Pattern.compile("(.*\\.)?(\\d+|0[xX]\\p{XDigit}*)\\.?");

    private final boolean insecure;
    private final List<IpSubnetFilterRule> internal = INTERNAL.stream().map(AlertUrls::rule).toList();
    private final IpSubnetFilterRule nat64 = rule(NAT64);
    private final IpSubnetFilterRule sixToFour = rule(SIX_TO_FOUR);

    /** @param insecure whether URLs may be of http, and lead anywhere */
    public AlertUrls(boolean insecure) {
        this.insecure = insecure;
    }

    private static IpSubnetFilterRule rule(String block) {
        int slash = block.indexOf('/');
        return new IpSubnetFilterRule(block.substring(0, slash), Integer.parseInt(block.substring(slash + 1)),
                IpFilterRuleType.ACCEPT);
    }

    /** Returns what is allowed, for error messages. */
    String allowed() {
        return "an https URL" + (insecure ? " or http URL" : "") + " of at most " + MAX_URL
                + " characters, without user and fragment"
                + (insecure ? "" : "; http with rate-limit.alerts.insecure=true only");
    }

    /**
     * Parses a URL.
     *
     * @return null if alerts may not be sent there
     */
    @Nullable
    URI parse(String text) {
        try {
            var url = new URI(text);
            var scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
            boolean allowed = scheme.equals("https") || insecure && scheme.equals("http");
            return allowed && text.length() <= MAX_URL && isHost(url.getHost()) && url.getRawUserInfo() == null
                    && url.getRawFragment() == null && url.getPort() <= MAX_PORT && url.getPort() != 0
                            ? new URI(scheme + text.substring(scheme.length()))
                            : null;
        } catch (URISyntaxException e) {
            return null; // the message contains the URL, which may contain a token
        }
    }

    /** Other spellings of an address of IPv4, such as 2130706433, are no hosts. */
    private static boolean isHost(@Nullable String host) {
        return host != null
                && (NetUtil.createInetAddressFromIpAddressString(host) != null || !NUMBER_AT_END.matcher(host).matches());
    }

    /**
     * Returns the reason for which a URL of the API is not allowed; null if it is. Addresses of host names are checked when an alert is
     * sent.
     */
    public @Nullable String problem(Object value) {
        var url = value instanceof String text ? parse(text) : null;
        if (url == null) {
            return "must be " + allowed();
        }
        var host = url.getHost().toLowerCase(Locale.ROOT);
        var address = NetUtil.createInetAddressFromIpAddressString(host);
        boolean local = host.equals("localhost") || host.endsWith(".localhost");
        return insecure || !local && (address == null || isPublic(address))
                ? null
                : "must not have a private, loopback, link-local or other internal address; with"
                        + " rate-limit.alerts.insecure=true only";
    }

    /** Returns whether alerts to a URL of the API may be sent to this address. */
    boolean mayReceive(InetAddress address) {
        return insecure || isPublic(address);
    }

    private boolean isPublic(InetAddress address) {
        var socket = new InetSocketAddress(address, 0);
        if (nat64.matches(socket)) {
            return isPublic(embedded(address, NAT64_OFFSET));
        }
        if (sixToFour.matches(socket)) {
            return isPublic(embedded(address, SIX_TO_FOUR_OFFSET));
        }
        return internal.stream().noneMatch(block -> block.matches(socket));
    }

    private static InetAddress embedded(InetAddress address, int offset) {
        try {
            return InetAddress.getByAddress(Arrays.copyOfRange(address.getAddress(), offset, offset + IPV4_LENGTH));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("An address of IPv4 has four bytes", e);
        }
    }
}
