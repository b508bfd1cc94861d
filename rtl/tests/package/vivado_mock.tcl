# Stands for Vivado: tclsh vivado_mock.tcl SCRIPT ARGUMENTS... runs a script, prints each Vivado command as it is called
# (name and arguments as a list), and gives handles that later calls are recognised by. A command that is not listed
# here is an error, as a wrong number of arguments is.

proc note {name arguments} {
    puts [linsert $arguments 0 $name]
}

# Commands that are only noted.
foreach name {
    create_project add_files update_compile_order close_project package_xo read_verilog read_xdc synth_design opt_design
    place_design phys_opt_design route_design report_utilization report_timing_summary report_power write_checkpoint
    ipx::package_project ipx::unload_core ipx::edit_ip_in_project ipx::remove_user_parameter
    ipx::associate_bus_interfaces ipx::create_xgui_files ipx::update_checksums ipx::check_integrity ipx::save_core
    create_clock create_pblock resize_pblock add_cells_to_pblock
} {
    namespace eval [namespace qualifiers ::$name] {}
    proc ::$name {args} "note $name \$args"
}

# set_property NAME VALUE OBJECTS, or with -name, -value and -objects.
proc set_property {args} {
    if {[llength $args] != 3 && [lindex $args 0] ne "-name"} {
        error "set_property: got [llength $args] arguments"
    }
    if {[lindex $args end] eq ""} {
        error "set_property: no object: $args"
    }
    note set_property $args
}

proc current_fileset {} { return fileset:sources }
proc get_files {path} { return file:$path }
proc get_runs {name} { return run:$name }
proc get_ports {name} { return port:$name }
proc get_pblocks {name} { return pblock:$name }
proc get_cells {args} { return cells:[lindex $args end] }
proc get_property {name object} { return [lindex [split $object :] 1] }

# Handles.
proc ipx::current_core {} { return core:kernel }
proc ipx::get_user_parameters {} { return {parameter:Width parameter:Depth} }
proc ipx::get_bus_interfaces {name flag core} {
    if {$flag ne "-of_objects" || $core ne "core:kernel"} { error "get_bus_interfaces: $name $flag $core" }
    return bus:$name
}
proc ipx::add_bus_parameter {flag name bus} { return busparameter:$name:$bus }
proc ipx::add_memory_map {flag name core} { note ipx::add_memory_map [list $name $core]; return map:$name }
proc ipx::add_address_block {flag name map} { note ipx::add_address_block [list $name $map]; return block:$name }
proc ipx::add_register {flag name block} { note ipx::add_register [list $name $block]; return register:$name }
proc ipx::add_register_parameter {flag name register} { return registerparameter:$name:$register }

set script [lindex $argv 0]
set argv [lrange $argv 1 end]
set argc [llength $argv]
source $script
