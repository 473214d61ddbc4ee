//! The messages that only the screen has.

bytehop_core::messages! {
    waiting(time): "counting … the first numbers come after {time}" | "正在计数……{time} 后显示第一批数字";
    no_match: "no process matches the filter (Esc clears it)" | "没有符合筛选条件的进程（按 Esc 清除）";
    paused: "paused" | "已暂停";
    filter_is(filter): "filter: {filter}" | "筛选：{filter}";
    filter_prompt(input): "filter: {input}_  (name, command line or pid; Enter takes it, Esc leaves it)" | "筛选：{input}_（名称、命令行或进程号；Enter 确定，Esc 取消）";
    failed(errors): "{errors} failed" | "失败 {errors}";
    no_hops: "no payload moved" | "没有搬运数据";
    not_known: "there may be more:" | "可能还有：";
    help: "help" | "帮助";

    hint_sort: "sort" | "排序";
    hint_total: "totals" | "合计";
    hint_rate: "rates" | "速率";
    hint_filter: "filter" | "筛选";
    hint_detail: "details" | "详情";
    hint_pause: "pause" | "暂停";
    hint_help: "help" | "帮助";
    hint_quit: "quit" | "退出";

    key_move: "choose a process" | "选择进程";
    key_page: "a page up, down" | "上翻、下翻一页";
    key_ends: "first, last row" | "第一行、最后一行";
    key_detail: "what its numbers are made of, and how they are known" | "这些数字由什么组成、怎样得知";
    key_column: "order by the column to the left, right" | "按左边、右边的一列排序";
    key_sort: "order by crossings, faults, copied, DMA, by reference, zeroed, pid, name" | "按切换、缺页、拷贝、DMA、传引用、清零、进程号、名称排序";
    key_reverse: "reverse the order" | "反向排序";
    key_total: "totals since the start, or rates" | "自启动以来的合计，或速率";
    key_idle: "show processes that do nothing, or not" | "显示或不显示没有活动的进程";
    key_filter: "filter by name, command line or pid" | "按名称、命令行或进程号筛选";
    key_pause: "hold the table still; counting goes on" | "定住表格；计数继续";
    key_interval: "longer, shorter interval" | "延长、缩短刷新间隔";
    key_back: "back: window, filter" | "返回：弹窗、筛选";
    key_look: "colours; English, Chinese" | "配色；英文、中文";
    key_help: "this help" | "本帮助";
    key_redraw: "redraw; suspend" | "重画；挂起";
    key_quit: "quit" | "退出";
    about_crossings: "cross: 2 × (system calls + page faults in user mode), of calls that returned" | "切换：2 ×（系统调用 + 用户态缺页），只算已返回的调用";
    about_dma: "DMA: disk I/O that completed, and packets sent; what a network device received is not seen" | "DMA：已完成的磁盘 I/O 和发出的数据包；网络设备接收的看不到";
    about_ourselves: "bytehop itself is left out; memory that a program copies in user mode is not seen" | "不含 bytehop 自身；程序在用户态拷贝的内存看不到";
}

#[cfg(test)]
mod tests {
    use super::TABLE;
    use bytehop_core::i18n::problems;

    #[test]
    fn every_message_is_whole() {
        assert_eq!(problems(TABLE), [""; 0]);
    }
}
