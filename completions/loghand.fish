# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_loghand_global_optspecs
    string join \n v/verbose q/quiet ready-fd= no-progress h/help V/version
end

function __fish_loghand_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_loghand_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_loghand_using_subcommand
    set -l cmd (__fish_loghand_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c loghand -n "__fish_loghand_needs_command" -l ready-fd -d 'Write a newline to this file descriptor once everything is open (as s6 wants it)' -r
complete -c loghand -n "__fish_loghand_needs_command" -s v -l verbose -d 'Say what is being done'
complete -c loghand -n "__fish_loghand_needs_command" -s q -l quiet -d 'Say only what was lost or failed'
complete -c loghand -n "__fish_loghand_needs_command" -l no-progress -d 'Show no progress bar, not even on a terminal'
complete -c loghand -n "__fish_loghand_needs_command" -s h -l help -d 'Print help'
complete -c loghand -n "__fish_loghand_needs_command" -s V -l version -d 'Print version'
complete -c loghand -n "__fish_loghand_needs_command" -f -a "tee" -d 'Copy lines to stdout, to files, and to any outlets behind -- (StreamHandler, FileHandler, NullHandler)'
complete -c loghand -n "__fish_loghand_needs_command" -f -a "rotate" -d 'Write lines to a file that rolls over by size, by the clock, or both (RotatingFileHandler, TimedRotatingFileHandler)'
complete -c loghand -n "__fish_loghand_needs_command" -f -a "watch" -d 'Append lines to a file that somebody else rotates (WatchedFileHandler)'
complete -c loghand -n "__fish_loghand_needs_command" -f -a "ship" -d 'Send lines to a socket or a web server (SocketHandler, DatagramHandler, HTTPHandler)'
complete -c loghand -n "__fish_loghand_needs_command" -f -a "syslog" -d 'Send lines to the system log, here or over the network (SysLogHandler)'
complete -c loghand -n "__fish_loghand_needs_command" -f -a "generate" -d 'Write manual pages and shell completions below a folder'
complete -c loghand -n "__fish_loghand_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l level -d 'Pass on records of this level and above' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l default-level -d 'The level of records that show none' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l level-regex -d 'Find the level by the group \'level\' of this regular expression, as in \'^(?<level>[A-Z]+) \'' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l name -d 'The logger\'s name, for --format' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l format -d 'Write each record by this template, as in \'%(asctime)s %(levelname)s %(message)s\' or \'{asctime} {message}\'' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l datefmt -d 'How asctime is written, as in strftime' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l terminator -d 'What ends each record instead of a newline; \\n, \\r, \\t, \\0 and \\\\ are understood' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l multiline -d 'A line that matches begins a record; the lines up to the next such line belong to it' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l multiline-lines -d 'Lines in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l multiline-bytes -d 'Bytes in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l multiline-wait -d 'How long a record waits for its next line' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l capacity -d 'Hold up to N records back' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l flush-level -d 'Hand on what is held when a record of this level comes' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l on-capacity -d 'What a full buffer does: hand everything on, or forget the oldest record' -r -f -a "flush\t'Hand everything on, as Python does'
forget\t'A flight recorder: keep the last N, hand them on only at the flush level'"
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l flush-interval -d 'Hand on what is held every so often' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l queue-size -d 'Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l on-full -d 'What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)' -r -f -a "block\t'The producer waits, nothing is lost'
drop-newest\t'Lines that find no room are dropped'
drop-oldest\t'The oldest lines make room'"
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l mode -d 'a: append; w: begin with an empty file; x: the file must not exist' -r -f -a "a\t''
w\t''
x\t''"
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l encoding -d 'Write in this encoding instead of the bytes as they come' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l errors -d 'What becomes of characters that the encoding does not have' -r -f -a "strict\t'The record is dropped, and counted'
ignore\t'The character is left out'
replace\t'It becomes U+FFFD, or \'?\' where there is none'
backslashreplace\t'It becomes \\xNN, \\uNNNN or \\UNNNNNNNN'
xmlcharrefreplace\t'It becomes &#NNN;'"
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l chmod -d 'Exact permission bits, as in 640 (without it the umask decides)' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l chown -d 'Owner and group, as in user:group' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l fsync -d 'Force lines to the disk: never, rollover (and at the end), always, or every so often (a duration)' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l on-disk-full -d 'What happens when there is no space: wait (nothing is lost), drop (counted), or reclaim own archives' -r -f -a "wait\t'Wait for space and go on where it stopped; the producer waits, too'
drop\t'Drop the lines that do not fit'
reclaim\t'Delete the oldest own archives, then wait'"
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l input -d 'Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l exclude -d 'Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l checkpoint -d 'Remember in this file how far was read, and go on there the next time' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l from -d 'Where to begin in files that the checkpoint does not know' -r -f -a "start\t'At the first line'
end\t'Behind the last whole line of files that are there already'"
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l until-idle -d 'Leave when no line has come for so long' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l partial-after -d 'Hand on an unfinished last line, marked \' [partial]\', when it has not grown for so long; else it waits' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l poll -d 'Look so often instead of being told of changes [where nobody tells, as on NFS: every second]' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l ready-fd -d 'Write a newline to this file descriptor once everything is open (as s6 wants it)' -r
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l stderr -d 'Copy to stderr instead of stdout'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l no-stdout -d 'Copy to neither stdout nor stderr'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l flush-on-close -d 'At the end, hand on what is still held (the default, unless --on-capacity forget)'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l no-flush-on-close -d 'At the end, forget what is still held'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l delay -d 'Open the file only when the first line comes'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l mkdir -d 'Make missing folders'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l follow -d 'Go on with what is appended to the files, with the files that replace them, and with new ones'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -s v -l verbose -d 'Say what is being done'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -s q -l quiet -d 'Say only what was lost or failed'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -l no-progress -d 'Show no progress bar, not even on a terminal'
complete -c loghand -n "__fish_loghand_using_subcommand tee" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l max-bytes -d 'Roll over before the file exceeds this size' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l when -d 'Roll over by the clock: S, M, H, D (seconds … days since the file began), midnight, W0 (Monday) … W6' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l interval -d 'So many units make a period' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l at-time -d 'The time of day for midnight and W0 … W6' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l backup-count -d 'Keep so many archives; 0 keeps all' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l max-age -d 'Delete archives last written longer ago (looked at when the program starts and at each rollover)' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l max-total-bytes -d 'All files together never exceed this, the current one and temporary ones included: the oldest archives go first' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l namer -d 'How archives are called, by fields in braces: base, stem, ext, n, time, time:%Y%m%d-%H%M%S' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l rotator -d 'Move the file by this command instead of renaming it; the writer waits for it' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l after-rotate -d 'Run this command for each new archive, when it is compressed if it is to be' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l compress -d 'Compress archives in the background: gzip, or gzip:LEVEL (1 to 9, 6 if not given)' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l link -d 'Keep a symlink that leads to the current file' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l level -d 'Pass on records of this level and above' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l default-level -d 'The level of records that show none' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l level-regex -d 'Find the level by the group \'level\' of this regular expression, as in \'^(?<level>[A-Z]+) \'' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l name -d 'The logger\'s name, for --format' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l format -d 'Write each record by this template, as in \'%(asctime)s %(levelname)s %(message)s\' or \'{asctime} {message}\'' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l datefmt -d 'How asctime is written, as in strftime' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l terminator -d 'What ends each record instead of a newline; \\n, \\r, \\t, \\0 and \\\\ are understood' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l multiline -d 'A line that matches begins a record; the lines up to the next such line belong to it' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l multiline-lines -d 'Lines in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l multiline-bytes -d 'Bytes in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l multiline-wait -d 'How long a record waits for its next line' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l capacity -d 'Hold up to N records back' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l flush-level -d 'Hand on what is held when a record of this level comes' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l on-capacity -d 'What a full buffer does: hand everything on, or forget the oldest record' -r -f -a "flush\t'Hand everything on, as Python does'
forget\t'A flight recorder: keep the last N, hand them on only at the flush level'"
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l flush-interval -d 'Hand on what is held every so often' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l queue-size -d 'Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l on-full -d 'What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)' -r -f -a "block\t'The producer waits, nothing is lost'
drop-newest\t'Lines that find no room are dropped'
drop-oldest\t'The oldest lines make room'"
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l mode -d 'a: append; w: begin with an empty file; x: the file must not exist' -r -f -a "a\t''
w\t''
x\t''"
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l encoding -d 'Write in this encoding instead of the bytes as they come' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l errors -d 'What becomes of characters that the encoding does not have' -r -f -a "strict\t'The record is dropped, and counted'
ignore\t'The character is left out'
replace\t'It becomes U+FFFD, or \'?\' where there is none'
backslashreplace\t'It becomes \\xNN, \\uNNNN or \\UNNNNNNNN'
xmlcharrefreplace\t'It becomes &#NNN;'"
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l chmod -d 'Exact permission bits, as in 640 (without it the umask decides)' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l chown -d 'Owner and group, as in user:group' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l fsync -d 'Force lines to the disk: never, rollover (and at the end), always, or every so often (a duration)' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l on-disk-full -d 'What happens when there is no space: wait (nothing is lost), drop (counted), or reclaim own archives' -r -f -a "wait\t'Wait for space and go on where it stopped; the producer waits, too'
drop\t'Drop the lines that do not fit'
reclaim\t'Delete the oldest own archives, then wait'"
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l input -d 'Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l exclude -d 'Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l checkpoint -d 'Remember in this file how far was read, and go on there the next time' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l from -d 'Where to begin in files that the checkpoint does not know' -r -f -a "start\t'At the first line'
end\t'Behind the last whole line of files that are there already'"
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l until-idle -d 'Leave when no line has come for so long' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l partial-after -d 'Hand on an unfinished last line, marked \' [partial]\', when it has not grown for so long; else it waits' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l poll -d 'Look so often instead of being told of changes [where nobody tells, as on NFS: every second]' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l ready-fd -d 'Write a newline to this file descriptor once everything is open (as s6 wants it)' -r
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l utc -d 'Reckon and name in UTC instead of local time'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l delay-compress -d 'Leave the youngest archive uncompressed until the next rollover'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l once -d 'Read nothing: roll over what is due, and leave'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l force -d 'With --once: roll over whatever is not empty'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l copy-truncate -d 'With --once: copy the file and empty it, for programs that cannot reopen (lines written in between are lost)'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l plan -d 'Change nothing: print what would be rolled over, named and deleted, and the next rollovers'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l flush-on-close -d 'At the end, hand on what is still held (the default, unless --on-capacity forget)'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l no-flush-on-close -d 'At the end, forget what is still held'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l delay -d 'Open the file only when the first line comes'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l mkdir -d 'Make missing folders'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l follow -d 'Go on with what is appended to the files, with the files that replace them, and with new ones'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -s v -l verbose -d 'Say what is being done'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -s q -l quiet -d 'Say only what was lost or failed'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -l no-progress -d 'Show no progress bar, not even on a terminal'
complete -c loghand -n "__fish_loghand_using_subcommand rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l level -d 'Pass on records of this level and above' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l default-level -d 'The level of records that show none' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l level-regex -d 'Find the level by the group \'level\' of this regular expression, as in \'^(?<level>[A-Z]+) \'' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l name -d 'The logger\'s name, for --format' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l format -d 'Write each record by this template, as in \'%(asctime)s %(levelname)s %(message)s\' or \'{asctime} {message}\'' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l datefmt -d 'How asctime is written, as in strftime' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l terminator -d 'What ends each record instead of a newline; \\n, \\r, \\t, \\0 and \\\\ are understood' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l multiline -d 'A line that matches begins a record; the lines up to the next such line belong to it' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l multiline-lines -d 'Lines in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l multiline-bytes -d 'Bytes in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l multiline-wait -d 'How long a record waits for its next line' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l capacity -d 'Hold up to N records back' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l flush-level -d 'Hand on what is held when a record of this level comes' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l on-capacity -d 'What a full buffer does: hand everything on, or forget the oldest record' -r -f -a "flush\t'Hand everything on, as Python does'
forget\t'A flight recorder: keep the last N, hand them on only at the flush level'"
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l flush-interval -d 'Hand on what is held every so often' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l queue-size -d 'Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l on-full -d 'What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)' -r -f -a "block\t'The producer waits, nothing is lost'
drop-newest\t'Lines that find no room are dropped'
drop-oldest\t'The oldest lines make room'"
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l mode -d 'a: append; w: begin with an empty file; x: the file must not exist' -r -f -a "a\t''
w\t''
x\t''"
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l encoding -d 'Write in this encoding instead of the bytes as they come' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l errors -d 'What becomes of characters that the encoding does not have' -r -f -a "strict\t'The record is dropped, and counted'
ignore\t'The character is left out'
replace\t'It becomes U+FFFD, or \'?\' where there is none'
backslashreplace\t'It becomes \\xNN, \\uNNNN or \\UNNNNNNNN'
xmlcharrefreplace\t'It becomes &#NNN;'"
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l chmod -d 'Exact permission bits, as in 640 (without it the umask decides)' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l chown -d 'Owner and group, as in user:group' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l fsync -d 'Force lines to the disk: never, rollover (and at the end), always, or every so often (a duration)' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l on-disk-full -d 'What happens when there is no space: wait (nothing is lost), drop (counted), or reclaim own archives' -r -f -a "wait\t'Wait for space and go on where it stopped; the producer waits, too'
drop\t'Drop the lines that do not fit'
reclaim\t'Delete the oldest own archives, then wait'"
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l input -d 'Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l exclude -d 'Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l checkpoint -d 'Remember in this file how far was read, and go on there the next time' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l from -d 'Where to begin in files that the checkpoint does not know' -r -f -a "start\t'At the first line'
end\t'Behind the last whole line of files that are there already'"
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l until-idle -d 'Leave when no line has come for so long' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l partial-after -d 'Hand on an unfinished last line, marked \' [partial]\', when it has not grown for so long; else it waits' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l poll -d 'Look so often instead of being told of changes [where nobody tells, as on NFS: every second]' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l ready-fd -d 'Write a newline to this file descriptor once everything is open (as s6 wants it)' -r
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l flush-on-close -d 'At the end, hand on what is still held (the default, unless --on-capacity forget)'
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l no-flush-on-close -d 'At the end, forget what is still held'
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l delay -d 'Open the file only when the first line comes'
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l mkdir -d 'Make missing folders'
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l follow -d 'Go on with what is appended to the files, with the files that replace them, and with new ones'
complete -c loghand -n "__fish_loghand_using_subcommand watch" -s v -l verbose -d 'Say what is being done'
complete -c loghand -n "__fish_loghand_using_subcommand watch" -s q -l quiet -d 'Say only what was lost or failed'
complete -c loghand -n "__fish_loghand_using_subcommand watch" -l no-progress -d 'Show no progress bar, not even on a terminal'
complete -c loghand -n "__fish_loghand_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l framing -d 'How records are told apart in a stream [default: lines; length for --encode pickle]' -r -f -a "lines\t'A newline behind each'
length\t'Four bytes before each with its length, the most significant first'
nul\t'A NUL behind each'"
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l encode -d 'What is sent for each record' -r -f -a "raw\t'Its text'
json\t'A JSON object: time, level, name, message, host, filename'
pickle\t'What Python\'s SocketHandler and DatagramHandler send, for logging.makeLogRecord'"
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l oversize -d 'What becomes of a record that is too long for a datagram' -r -f -a "truncate\t'As much as fits is sent, and a mark; the number is said'
split\t'It becomes several records; the number is said'
drop\t'It is lost; the number is said'"
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l method -d 'How records are sent; GET has them in the query, as --body form [default: POST]' -r -f -a "POST\t''
PUT\t''
GET\t''"
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l body -d 'What stands in a request [default: lines; with --method GET: form]' -r -f -a "lines\t'The lines as they are, many in a request'
ndjson\t'A JSON object a line, many in a request'
json\t'An array of JSON objects'
form\t'What Python\'s HTTPHandler sends: a form of one record'"
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l fields -d 'The keys or fields of each record that travel, with commas between them [default: all]' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l batch-lines -d 'Records in a request at most [default: 5000]' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l batch-bytes -d 'Bytes of lines in a request at most; a longer line is sent alone [default: 1M]' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l batch-wait -d 'How long the first record of a request waits for others [default: 1s]' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l header -d 'Send this header with every request, as in \'X-Source: web-1\'; repeatable' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l user -d 'The user of Basic authentication; the password is in --password-file or LOGHAND_PASSWORD' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l password-file -d 'The file that holds the password' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l concurrency -d 'Requests under way at once; more than 1 does not keep the order [default: 1]' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l dead-letter -d 'Keep the lines that the server refuses in this file; without it they are lost, and counted' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l timeout -d 'How long connecting may take, and each write' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l keep-alive -d 'Ask a silent TCP peer so often whether it is there; 0 never asks' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l retry-start -d 'The wait before the second attempt; a peer that only restarted is tried at once' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l retry-factor -d 'How much longer each further wait is' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l retry-max -d 'The longest wait between attempts' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l give-up-after -d 'Lose lines (counted and said) once the peer was away for so long [default: wait for ever]' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l drain-timeout -d 'At the end of the input, or at TERM, deliver what is left for so long; what then is left is counted and said' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l ca -d 'Trust the authorities in this PEM file instead of the system\'s' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l cert -d 'Our own certificate, with its chain (PEM)' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l key -d 'The key of our certificate (PEM)' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l server-name -d 'The name that the peer\'s certificate must hold, instead of the host' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l ttl -d 'How many routers a packet may pass [default: the system\'s; 1 to a multicast group]' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l interface -d 'Send by this network interface: its name, or an address of it' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l level -d 'Pass on records of this level and above' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l default-level -d 'The level of records that show none' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l level-regex -d 'Find the level by the group \'level\' of this regular expression, as in \'^(?<level>[A-Z]+) \'' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l name -d 'The logger\'s name, for --format' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l format -d 'Write each record by this template, as in \'%(asctime)s %(levelname)s %(message)s\' or \'{asctime} {message}\'' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l datefmt -d 'How asctime is written, as in strftime' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l terminator -d 'What ends each record instead of a newline; \\n, \\r, \\t, \\0 and \\\\ are understood' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l multiline -d 'A line that matches begins a record; the lines up to the next such line belong to it' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l multiline-lines -d 'Lines in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l multiline-bytes -d 'Bytes in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l multiline-wait -d 'How long a record waits for its next line' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l capacity -d 'Hold up to N records back' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l flush-level -d 'Hand on what is held when a record of this level comes' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l on-capacity -d 'What a full buffer does: hand everything on, or forget the oldest record' -r -f -a "flush\t'Hand everything on, as Python does'
forget\t'A flight recorder: keep the last N, hand them on only at the flush level'"
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l flush-interval -d 'Hand on what is held every so often' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l queue-size -d 'Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l on-full -d 'What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)' -r -f -a "block\t'The producer waits, nothing is lost'
drop-newest\t'Lines that find no room are dropped'
drop-oldest\t'The oldest lines make room'"
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l input -d 'Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l exclude -d 'Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l checkpoint -d 'Remember in this file how far was read, and go on there the next time' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l from -d 'Where to begin in files that the checkpoint does not know' -r -f -a "start\t'At the first line'
end\t'Behind the last whole line of files that are there already'"
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l until-idle -d 'Leave when no line has come for so long' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l partial-after -d 'Hand on an unfinished last line, marked \' [partial]\', when it has not grown for so long; else it waits' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l poll -d 'Look so often instead of being told of changes [where nobody tells, as on NFS: every second]' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l ready-fd -d 'Write a newline to this file descriptor once everything is open (as s6 wants it)' -r
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l gzip -d 'Pack requests with gzip'
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l insecure -d 'Take any certificate, so anybody can read along or be the peer'
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l flush-on-close -d 'At the end, hand on what is still held (the default, unless --on-capacity forget)'
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l no-flush-on-close -d 'At the end, forget what is still held'
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l follow -d 'Go on with what is appended to the files, with the files that replace them, and with new ones'
complete -c loghand -n "__fish_loghand_using_subcommand ship" -s v -l verbose -d 'Say what is being done'
complete -c loghand -n "__fish_loghand_using_subcommand ship" -s q -l quiet -d 'Say only what was lost or failed'
complete -c loghand -n "__fish_loghand_using_subcommand ship" -l no-progress -d 'Show no progress bar, not even on a terminal'
complete -c loghand -n "__fish_loghand_using_subcommand ship" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l facility -d 'What part of the system speaks: user, daemon, local0, … or its number' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -s p -l priority -d 'The priority of lines that show none: emerg, alert, crit, err, warning, notice, info, debug, or local0.err for both' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -s t -l tag -l ident -d 'What speaks [default: the user\'s name]' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l pid -d 'Give the process id, loghand\'s own or this one' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l hostname -d 'The host that speaks [default: this one]' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l rfc -d 'The form [default: 5424 over the network; what syslog(3) writes on this machine]' -r -f -a "3164\t'The older, with the local time of day and without a year'
5424\t''"
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l msgid -d 'The MSGID of RFC 5424' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l structured-data -d 'The STRUCTURED-DATA of RFC 5424, as in \'[origin@32473 ip="192.0.2.1"]\'' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l framing -d 'How messages are told apart in a stream [default: lf; octet-count by TLS; a NUL on this machine]' -r -f -a "lf\t'A line feed behind each'
octet-count\t'Its length before each (RFC 6587, RFC 5425)'"
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l max-message -d 'Cut messages that are longer, with their header; the number is said' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l timeout -d 'How long connecting may take, and each write' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l keep-alive -d 'Ask a silent TCP peer so often whether it is there; 0 never asks' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l retry-start -d 'The wait before the second attempt; a peer that only restarted is tried at once' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l retry-factor -d 'How much longer each further wait is' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l retry-max -d 'The longest wait between attempts' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l give-up-after -d 'Lose lines (counted and said) once the peer was away for so long [default: wait for ever]' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l drain-timeout -d 'At the end of the input, or at TERM, deliver what is left for so long; what then is left is counted and said' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l ca -d 'Trust the authorities in this PEM file instead of the system\'s' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l cert -d 'Our own certificate, with its chain (PEM)' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l key -d 'The key of our certificate (PEM)' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l server-name -d 'The name that the peer\'s certificate must hold, instead of the host' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l ttl -d 'How many routers a packet may pass [default: the system\'s; 1 to a multicast group]' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l interface -d 'Send by this network interface: its name, or an address of it' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l level -d 'Pass on records of this level and above' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l default-level -d 'The level of records that show none' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l level-regex -d 'Find the level by the group \'level\' of this regular expression, as in \'^(?<level>[A-Z]+) \'' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l name -d 'The logger\'s name, for --format' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l format -d 'Write each record by this template, as in \'%(asctime)s %(levelname)s %(message)s\' or \'{asctime} {message}\'' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l datefmt -d 'How asctime is written, as in strftime' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l terminator -d 'What ends each record instead of a newline; \\n, \\r, \\t, \\0 and \\\\ are understood' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l multiline -d 'A line that matches begins a record; the lines up to the next such line belong to it' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l multiline-lines -d 'Lines in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l multiline-bytes -d 'Bytes in one record at most' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l multiline-wait -d 'How long a record waits for its next line' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l capacity -d 'Hold up to N records back' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l flush-level -d 'Hand on what is held when a record of this level comes' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l on-capacity -d 'What a full buffer does: hand everything on, or forget the oldest record' -r -f -a "flush\t'Hand everything on, as Python does'
forget\t'A flight recorder: keep the last N, hand them on only at the flush level'"
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l flush-interval -d 'Hand on what is held every so often' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l queue-size -d 'Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l on-full -d 'What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)' -r -f -a "block\t'The producer waits, nothing is lost'
drop-newest\t'Lines that find no room are dropped'
drop-oldest\t'The oldest lines make room'"
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l input -d 'Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l exclude -d 'Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l checkpoint -d 'Remember in this file how far was read, and go on there the next time' -r -F
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l from -d 'Where to begin in files that the checkpoint does not know' -r -f -a "start\t'At the first line'
end\t'Behind the last whole line of files that are there already'"
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l until-idle -d 'Leave when no line has come for so long' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l partial-after -d 'Hand on an unfinished last line, marked \' [partial]\', when it has not grown for so long; else it waits' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l poll -d 'Look so often instead of being told of changes [where nobody tells, as on NFS: every second]' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l ready-fd -d 'Write a newline to this file descriptor once everything is open (as s6 wants it)' -r
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l bom -d 'Begin texts in UTF-8 with a byte order mark, as RFC 5424 asks; most receivers show it as text'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l append-nul -d 'End every message with a NUL, as Python does'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -s s -l stderr -d 'Copy the lines to stderr, too'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l insecure -d 'Take any certificate, so anybody can read along or be the peer'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l flush-on-close -d 'At the end, hand on what is still held (the default, unless --on-capacity forget)'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l no-flush-on-close -d 'At the end, forget what is still held'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l follow -d 'Go on with what is appended to the files, with the files that replace them, and with new ones'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -s v -l verbose -d 'Say what is being done'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -s q -l quiet -d 'Say only what was lost or failed'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -l no-progress -d 'Show no progress bar, not even on a terminal'
complete -c loghand -n "__fish_loghand_using_subcommand syslog" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c loghand -n "__fish_loghand_using_subcommand generate" -l ready-fd -d 'Write a newline to this file descriptor once everything is open (as s6 wants it)' -r
complete -c loghand -n "__fish_loghand_using_subcommand generate" -s v -l verbose -d 'Say what is being done'
complete -c loghand -n "__fish_loghand_using_subcommand generate" -s q -l quiet -d 'Say only what was lost or failed'
complete -c loghand -n "__fish_loghand_using_subcommand generate" -l no-progress -d 'Show no progress bar, not even on a terminal'
complete -c loghand -n "__fish_loghand_using_subcommand generate" -s h -l help -d 'Print help'
complete -c loghand -n "__fish_loghand_using_subcommand help; and not __fish_seen_subcommand_from tee rotate watch ship syslog generate help" -f -a "tee" -d 'Copy lines to stdout, to files, and to any outlets behind -- (StreamHandler, FileHandler, NullHandler)'
complete -c loghand -n "__fish_loghand_using_subcommand help; and not __fish_seen_subcommand_from tee rotate watch ship syslog generate help" -f -a "rotate" -d 'Write lines to a file that rolls over by size, by the clock, or both (RotatingFileHandler, TimedRotatingFileHandler)'
complete -c loghand -n "__fish_loghand_using_subcommand help; and not __fish_seen_subcommand_from tee rotate watch ship syslog generate help" -f -a "watch" -d 'Append lines to a file that somebody else rotates (WatchedFileHandler)'
complete -c loghand -n "__fish_loghand_using_subcommand help; and not __fish_seen_subcommand_from tee rotate watch ship syslog generate help" -f -a "ship" -d 'Send lines to a socket or a web server (SocketHandler, DatagramHandler, HTTPHandler)'
complete -c loghand -n "__fish_loghand_using_subcommand help; and not __fish_seen_subcommand_from tee rotate watch ship syslog generate help" -f -a "syslog" -d 'Send lines to the system log, here or over the network (SysLogHandler)'
complete -c loghand -n "__fish_loghand_using_subcommand help; and not __fish_seen_subcommand_from tee rotate watch ship syslog generate help" -f -a "generate" -d 'Write manual pages and shell completions below a folder'
complete -c loghand -n "__fish_loghand_using_subcommand help; and not __fish_seen_subcommand_from tee rotate watch ship syslog generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
