# SPDX-License-Identifier: MIT
# fish completion for nwho(1). Commands, options, columns and words of filters are asked of the program.

# The command among the words so far, "none" when there is none yet.
function __nwho_command
    set -l words (commandline -opc | string match -v -- '-*')
    if set -q words[2]; and contains -- $words[2] (nwho help command-names)
        echo $words[2]
    else
        echo none
    end
end

function __nwho_words
    commandline -opc | string match -v -- '-*' | count
end

function __nwho_table
    set -l command (__nwho_command)
    if test "$command" = ps
        contains -- --threads (commandline -opc); and echo threads; or echo processes
        return
    end
    switch "$command"
        case if
            echo interfaces
        case stats
            echo counters
        case routes groups nat selfcheck
            echo $command
        case top
            echo traffic
        case events
            echo events
        case history
            echo flows
        case doctor
            echo findings
        case sniff
            echo captured_owners
        case '*'
            echo sockets
    end
end

# The columns, each behind what is already in a list that is separated by commas.
function __nwho_columns
    set -l before (commandline -ct | string match -r '^(?:-o|--\w+=)?(.*,|\+)?')[2]
    nwho columns (__nwho_table) -H --csv -o column,help 2>/dev/null | string replace -r '^([^,]*),"?(.*?)"?$' "$before\$1\t\$2"
end

# The options of the command: "--limit N" and its help become "--limit<tab>at most N rows".
function __nwho_options
    set -l command (__nwho_command)
    test $command = none; and set command TARGET
    nwho help $command 2>/dev/null | string match -rg '^  (?:-.|  ) (--[a-z0-9-]+)(?: ?\[?=?[A-Z]\S*)? +(.*)$' |
        while read -l name
            read -l help
            printf '%s\t%s\n' $name $help
        end
end

function __nwho_is_first
    test (__nwho_words) -eq 1
end

function __nwho_is_fleet
    test (__nwho_command) = fleet; and test (__nwho_words) -eq 2
end

# What may follow --by.
function __nwho_keys
    switch (__nwho_command)
        case export
            string split ' ' 'flow interface counter state listener connection note'
        case history
            string split ' ' 'process peer port user unit container netns proto iface state'
        case if
            string split ' ' 'size proto'
        case nat
            __nwho_columns
        case '*'
            string split ' ' 'process thread conn peer container unit user iface port netns proto'
    end
end

function __nwho_is_key
    test (__nwho_command) = count; and test (__nwho_words) -eq 2
end

function __nwho_takes_filter
    not contains -- (__nwho_command) doctor if stats routes groups sniff why-busy export serve mark columns help; and not __nwho_is_fleet; and not __nwho_is_first; and not __nwho_is_key
end

# Tables that are not about sockets have names of their own.
function __nwho_names
    test (__nwho_command) = stats; and nwho stats -a -H -o counter 2>/dev/null; or nwho if -H -o iface 2>/dev/null
end

complete -c nwho -f
complete -c nwho -n 'contains -- (__nwho_command) if stats routes groups' -a '(__nwho_names; __nwho_columns)'
complete -c nwho -n 'test (__nwho_command) = sniff' -a 'host net port portrange src dst tcp udp icmp icmp6 arp ip ip6 and or not (__nwho_columns)'
complete -c nwho -n __nwho_is_first -a '(nwho help command-names | string match -v TARGET)'
complete -c nwho -n __nwho_is_key -a '(__nwho_columns)'
complete -c nwho -n __nwho_takes_filter -a '(nwho help words; __nwho_columns)'
complete -c nwho -n 'test (__nwho_command) = columns' -a '(nwho columns -H -o table | uniq)'
complete -c nwho -n 'test (__nwho_command) = help' -a '(nwho help command-names; nwho help topic-names)'
complete -c nwho -n 'string match -q -- "-*" (commandline -ct)' -a '(__nwho_options)'
complete -c nwho -n 'test (__nwho_command) != export' -s o -l output -x -a '(__nwho_columns)'
complete -c nwho -n 'test (__nwho_command) = export' -s o -l output -rF
complete -c nwho -n 'test (__nwho_command) = doctor' -a "(nwho doctor --list 2>/dev/null | string replace -r ' +' '\t')"
complete -c nwho -n 'test (__nwho_command) = doctor' -l explain -x -a "(nwho doctor --list 2>/dev/null | string replace -r ' +' '\t')"
complete -c nwho -n __nwho_is_fleet -a "(nwho help fleet | string match -rg '^nwho fleet (\S*)' | string split '|')"
complete -c nwho -l by -x -a '(__nwho_keys)'
complete -c nwho -l fail-on -x -a 'info warn crit'
complete -c nwho -l sources -x -a 'bpf sock_diag proc_net proc_fd'
complete -c nwho -l json -f -a '(__nwho_columns)'
complete -c nwho -l jsonl -f -a '(__nwho_columns)'
complete -c nwho -l csv -f -a '(__nwho_columns)'
complete -c nwho -l format -x -a 'openmetrics jsonl csv sqlite'
complete -c nwho -l sort -x -a '(__nwho_columns)'
complete -c nwho -s N -l netns -x -a '(ls /run/netns 2>/dev/null)'
complete -c nwho -l color -x -a 'auto always never'
complete -c nwho -l record -rF
complete -c nwho -l replay -rF
complete -c nwho -l store -rF
complete -c nwho -l svg -rF
complete -c nwho -l token-file -rF
complete -c nwho -l diff -rF
