# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2207
#
# Completion of nft-jit for bash: commands, their options, and the tables and
# chains that nft lists.

# Nothing but what there is: no sudo, no error message in the middle of a line.
_nft_jit_tables() { nft list tables 2>/dev/null | sed 's/^table //'; }

_nft_jit()
{
	local cur=${COMP_WORDS[COMP_CWORD]} i command='' words='' args=()
	local commands="list why sets hits watch drops metrics graph record"

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--recorded) i=$((i + 1)) ;;
		-*) ;;
		*)
			if [[ -z $command ]]; then
				command=${COMP_WORDS[i]}
			else
				args+=("${COMP_WORDS[i]}")
			fi ;;
		esac
	done
	if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --recorded ]]; then
		COMPREPLY=($(compgen -d -- "$cur"))
		return
	fi
	case $command:$cur in
	:-*) words="--recorded --version --help" ;;
	:*) words=$commands ;;
	why:-*) words="--json --most --help" ;;
	hits:-*) words="--json --zero --top --help" ;;
	watch:-*) words="--json --interval --count --help" ;;
	drops:-*) words="--json --all --count --help" ;;
	record:-*) words="--help" ;;
	*:-*) words="--json --help" ;;
	list:*)
		if [[ ${#args[@]} = 0 ]]; then
			words="table tables chain chains ruleset"
		elif [[ ${args[0]} == table || ${args[0]} == chain ]]; then
			words=$(_nft_jit_names "${args[@]:1}")
		fi ;;
	why:*|graph:*) words=$(_nft_jit_names "${args[@]}") ;;
	record:*)
		COMPREPLY=($(compgen -d -- "$cur"))
		return ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

# _nft_jit_names [FAMILY [TABLE]]: what may come next.
_nft_jit_names()
{
	case $# in
	0) _nft_jit_tables | cut -d ' ' -f 1 | sort -u ;;
	1) _nft_jit_tables | sed -n "s/^$1 //p" ;;
	2) nft list table "$1" "$2" 2>/dev/null | sed -n 's/^\tchain \(.*\) {$/\1/p' ;;
	esac
}

complete -F _nft_jit nft-jit
