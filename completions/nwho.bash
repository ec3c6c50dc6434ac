# SPDX-License-Identifier: MIT
# bash completion for nwho(1). Commands, options, columns and words of filters are asked of the program.

# The options of `nwho help COMMAND`, each spelling on a line, with its argument: "--limit N", "--json [=COLUMNS]".
_nwho_options() {
    "$1" help "${2:-TARGET}" 2>/dev/null |
        sed -n '/^Options:/,$ s/^  \(-.\|  \) \(--[a-z0-9-]*\)\( \?[[A-Z]\S*\)\? .*/\1 \3\n\2 \3/p' | tr -s ' ' | grep '^-'
}

# The columns of a table.
_nwho_columns() {
    "$1" columns "$2" -H -o column 2>/dev/null
}

_nwho_checks() {
    "$program" doctor --list 2>/dev/null | cut -d ' ' -f 1
}

# Completes the last word of a list that is separated by commas.
_nwho_list() {
    local before=
    [[ $cur == *,* ]] && before=${cur%,*},
    [[ $cur == +* && -z $before ]] && before=+
    mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${cur#"$before"}")
    compopt -o nospace
}

# What may follow an option that takes an argument.
_nwho_argument() {
    case $command:$1 in
    export:-o | export:--output) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
    export:--by) mapfile -t COMPREPLY < <(compgen -W "flow interface counter state listener connection note" -- "$cur") && return ;;
    if:--by) mapfile -t COMPREPLY < <(compgen -W "size proto" -- "$cur") && return ;;
    nat:--by) _nwho_list "$(_nwho_columns "$program" nat)" && return ;;
    history:--by) _nwho_list "process peer port user unit container netns proto iface state" && return ;;
    doctor:--explain) mapfile -t COMPREPLY < <(compgen -W "$(_nwho_checks)" -- "$cur") && return ;;
    esac
    case $1 in
    -o | --output | --json | --jsonl | --csv | --sort) _nwho_list "$(_nwho_columns "$program" "$table")" ;;
    -N | --netns) mapfile -t COMPREPLY < <(compgen -W "$(ls /run/netns 2>/dev/null)" -- "$cur") ;;
    --record | --replay | --store | --svg | --token-file | --diff) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    --color) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur") ;;
    --format) mapfile -t COMPREPLY < <(compgen -W "openmetrics jsonl csv sqlite" -- "$cur") ;;
    --by) _nwho_list "process thread conn peer container unit user iface port netns proto" ;;
    --fail-on) mapfile -t COMPREPLY < <(compgen -W "info warn crit" -- "$cur") ;;
    --sources) _nwho_list "bpf sock_diag proc_net proc_fd" ;;
    esac
}

# A word of a filter; what comes before it may say which.
_nwho_filter() {
    case $prev in
    user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
    process | proc) mapfile -t COMPREPLY < <(compgen -W "$("$program" ps -a -H -o process 2>/dev/null)" -- "$cur") ;;
    netns) mapfile -t COMPREPLY < <(compgen -W "$(ls /run/netns 2>/dev/null)" -- "$cur") ;;
    dev) mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$cur") ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "$("$program" help words 2>/dev/null) $(_nwho_columns "$program" "$table")" -- "$cur")
        [[ $cur == /* ]] && mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        ;;
    esac
}

# A word of an expression about packets: of pcap-filter, or a column of processes.
_nwho_packets() {
    case $prev in
    -i) mapfile -t COMPREPLY < <(compgen -W "any $(ls /sys/class/net 2>/dev/null)" -- "$cur") ;;
    -r | -w | -F | -V) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "host net port portrange src dst tcp udp icmp icmp6 arp ip ip6 and or not $(_nwho_columns "$program" captured_owners)" -- "$cur")
        ;;
    esac
}

# A word of a filter of a table that is not about sockets: its columns, and the names that it has.
_nwho_names() {
    local names
    if [[ $table == counters ]]; then
        names=$("$program" stats -a -H -o counter 2>/dev/null)
    else
        names=$("$program" if -H -o iface 2>/dev/null)
    fi
    mapfile -t COMPREPLY < <(compgen -W "$names $(_nwho_columns "$program" "$table")" -- "$cur")
}

_nwho() {
    local program=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local commands command='' table=sockets words=0 attached='' i name argument word taking
    # "--json=pid" comes as three words
    if [[ $cur == = ]]; then
        cur='' attached=yes
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]} attached=yes
    fi
    commands=$("$program" help command-names 2>/dev/null)
    # The first word that is neither an option nor the argument of one is the command.
    taking=" $(_nwho_options "$program" ls | sed -n 's/^\(\S*\) [A-Z].*/\1/p' | tr '\n' ' ')"
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ ${COMP_WORDS[i + 1]-} == = ]]; then
            i=$((i + 2))
        elif [[ $taking == *" $word "* ]]; then
            i=$((i + 1))
        elif [[ $word != -* ]]; then
            [[ $words == 0 && $'\n'$commands$'\n' == *$'\n'$word$'\n'* ]] && command=$word
            words=$((words + 1))
        fi
    done
    [[ $command == ps ]] && table=processes
    [[ $command == ps && " ${COMP_WORDS[*]} " == *" --threads "* ]] && table=threads
    case $command in
    if) table=interfaces ;;
    stats) table=counters ;;
    routes | groups | nat | selfcheck) table=$command ;;
    top) table=traffic ;;
    events) table=events ;;
    history) table=flows ;;
    doctor) table=findings ;;
    sniff) table=captured_owners ;;
    esac

    COMPREPLY=()
    # An argument in brackets is only taken behind "=", the others are the next word, too.
    while read -r name argument; do
        if [[ $name == "$prev" && -n $argument && ($argument != \[* || $attached == yes) ]]; then
            _nwho_argument "$prev"
            return
        fi
    done < <(_nwho_options "$program" "$command")
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_nwho_options "$program" "$command" | cut -d ' ' -f 1)" -- "$cur")
    elif [[ $words == 0 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${commands/TARGET/}" -- "$cur")
        [[ $cur == /* ]] && mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    elif [[ $command == count && $words == 1 ]]; then
        _nwho_list "$(_nwho_columns "$program" sockets)"
    elif [[ $command == columns ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" columns -H -o table 2>/dev/null | uniq)" -- "$cur")
    elif [[ $command == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands $("$program" help topic-names 2>/dev/null)" -- "$cur")
    elif [[ $command == doctor ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_nwho_checks)" -- "$cur")
    elif [[ $command == fleet && $words == 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" help fleet 2>/dev/null | sed -n '1s/^nwho fleet \(\S*\).*/\1/; 1s/|/ /gp')" -- "$cur")
    elif [[ $table =~ ^(interfaces|counters|routes|groups)$ ]]; then
        _nwho_names
    elif [[ $command == sniff && ! $prev =~ ^(user|process|proc|netns)$ ]]; then
        _nwho_packets
    elif [[ ! $command =~ ^(why-busy|serve|mark)$ ]]; then
        _nwho_filter
    fi
}

complete -F _nwho nwho
