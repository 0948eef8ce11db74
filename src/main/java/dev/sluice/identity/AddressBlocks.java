package dev.sluice.identity;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.sluice.config.ConfigProblems;
import io.netty.handler.ipfilter.IpFilterRuleType;
import io.netty.handler.ipfilter.IpSubnetFilterRule;

/** The addresses that a setting names, as addresses and CIDR blocks (RFC 4632). Immutable. */
final class AddressBlocks {

    private final List<IpSubnetFilterRule> blocks;

    /** @param setting its value; what is no address is ignored: {@link #validate} reports it */
    AddressBlocks(Optional<List<String>> setting) {
        blocks = setting.orElse(List.of()).stream().map(AddressBlocks::parse).filter(Objects::nonNull).toList();
    }

    static void validate(ConfigProblems problems, String property, Optional<List<String>> setting) {
        for (var block : setting.orElse(List.of())) {
            if (parse(block) == null) {
                problems.add(property, block, "must be addresses or CIDR blocks such as 10.0.0.0/8 or fd00::/8");
            }
        }
    }

    private static @Nullable IpSubnetFilterRule parse(String text) {
        var block = text.strip();
        int slash = block.indexOf('/');
        var address = IpAddresses.parse(slash < 0 ? block : block.substring(0, slash));
        if (address == null) {
            return null;
        }
        int bits = address.getAddress().length * 8;
        try {
            int prefix = slash < 0 ? bits : Integer.parseInt(block.substring(slash + 1));
            return prefix < 0 || prefix > bits ? null : new IpSubnetFilterRule(address, prefix, IpFilterRuleType.ACCEPT);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    boolean contains(@Nullable InetAddress address) {
        if (address == null || blocks.isEmpty()) {
            return false;
        }
        var socket = new InetSocketAddress(address, 0);
        for (var block : blocks) {
            if (block.matches(socket)) {
                return true;
            }
        }
        return false;
    }
}
